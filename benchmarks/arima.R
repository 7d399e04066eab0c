# Fits ARIMA(p,d,q) to each column of a CSV by arima(); prints a line of JSON a column and method: CPU seconds, coefficients.
# Rscript arima.R SERIES.csv p d q METHOD[,METHOD] | Rscript arima.R SERIES.csv auto d
arguments <- commandArgs(trailingOnly = TRUE)
series <- read.csv(arguments[1], check.names = FALSE)
say <- function(i, method, seconds, found) {
  coefficients <- if (is.null(found)) "null" else paste0("[", paste(sprintf("%.12g", found$coef), collapse = ","), "]")
  order <- if (is.null(found)) "null" else paste0("[", paste(found$arma[c(1, 6, 2)], collapse = ","), "]")
  cat(sprintf('{"series": %d, "method": "%s", "seconds": %.6f, "order": %s, "coefficients": %s}\n',
              i - 1, method, seconds, order, coefficients))
}
timed <- function(i, method, work) {
  before <- proc.time()
  found <- tryCatch(suppressWarnings(work()), error = function(fault) NULL)
  spent <- proc.time() - before
  say(i, method, spent[[1]] + spent[[2]], found)
}
for (i in seq_along(series)) {
  y <- series[[i]]
  if (arguments[2] == "auto") {
    d <- as.integer(arguments[3])
    timed(i, "auto.arima", function() forecast::auto.arima(ts(y), d = d, seasonal = FALSE, allowmean = FALSE, allowdrift = FALSE))
  } else {
    order <- as.integer(arguments[2:4])
    for (method in strsplit(arguments[5], ",")[[1]]) {
      timed(i, method, function() arima(y, order = order, include.mean = FALSE, method = method))
    }
  }
}
