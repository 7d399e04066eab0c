# Fits a Cox regression by survival's coxph to rows in a file of doubles; prints a line of JSON a repeat: CPU seconds,
# coefficients, standard errors. Rscript cox.R ROWS.bin n p entry|- stratum|- repeats [settled]
# The file holds columns one after the other: entry and stratum where named, stop, event, then the p covariates.
suppressMessages(library(survival))
arguments <- commandArgs(trailingOnly = TRUE)
n <- as.integer(arguments[2])
p <- as.integer(arguments[3])
late <- arguments[4] != "-"
strata_given <- arguments[5] != "-"
columns <- late + strata_given + 2 + p
values <- matrix(readBin(arguments[1], "double", n * columns), n, columns)
at <- 1
if (late) { entry <- values[, at]; at <- at + 1 }
if (strata_given) { stratum <- values[, at]; at <- at + 1 }
stop_time <- values[, at]
event <- values[, at + 1]
x <- values[, (at + 2):columns, drop = FALSE]
rm(values)
y <- if (late) Surv(entry, stop_time, event) else Surv(stop_time, event)
rules <- if (length(arguments) > 6) coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 60) else coxph.control()
number <- function(x) paste0("[", paste(sprintf("%.17g", x), collapse = ","), "]")
for (i in seq_len(as.integer(arguments[6]))) {
  before <- proc.time()
  found <- if (strata_given) coxph(y ~ x + strata(stratum), ties = "efron", control = rules)
           else coxph(y ~ x, ties = "efron", control = rules)
  spent <- proc.time() - before
  cat(sprintf('{"seconds": %.6f, "coefficients": %s, "errors": %s, "steps": %d}\n', spent[[1]] + spent[[2]],
              number(coef(found)), number(sqrt(diag(found$var))), found$iter))
}
