# Reference numbers for tests/timeseries/test_reference.py.
# Made with: Rscript tests/reference/arima.R > tests/reference/arima.json
# R alone: apt-get install r-base-core (its version stands in the JSON).
options(digits = 17)

number <- function(x) paste(ifelse(is.na(x), "null", sprintf("%.17g", x)), collapse = ", ")

set.seed(20261126)
steady <- 5 + as.numeric(arima.sim(list(ar = 0.7, ma = 0.4), 200))
gaps <- replace(steady, c(3, 50:55, 120), NA)
drifting <- cumsum(as.numeric(arima.sim(list(ar = c(0.5, -0.3), ma = c(0.4, 0.2)), 200)))
months <- 12
noise <- rnorm(300 + months + 1)
w <- noise[(months + 2):313] + 0.3 * noise[(months + 1):312] - 0.6 * noise[2:301] - 0.18 * noise[1:300]
seasonal <- as.numeric(diffinv(w, lag = months))
cases <- list(
  steady = list(y = steady, order = c(1, 0, 1), seasonal = c(0, 0, 0), period = 1, mean = TRUE),
  gaps = list(y = gaps, order = c(1, 0, 1), seasonal = c(0, 0, 0), period = 1, mean = TRUE),
  drifting = list(y = drifting, order = c(2, 1, 2), seasonal = c(0, 0, 0), period = 1, mean = FALSE),
  seasonal = list(y = seasonal, order = c(0, 0, 1), seasonal = c(0, 1, 1), period = months, mean = FALSE)
)

cat("{\n")
cat(sprintf("\"command\": \"Rscript tests/reference/arima.R\",\n\"r\": \"%s\",\n\"cases\": {\n", R.version.string))
for (name in names(cases)) {
  case <- cases[[name]]
  fit <- arima(case$y, order = case$order, seasonal = list(order = case$seasonal, period = case$period),
               include.mean = case$mean, method = "ML", optim.control = list(reltol = 1e-14, maxit = 1000))
  ahead <- predict(fit, n.ahead = 5)
  cat(sprintf("\"%s\": {\"y\": [%s],\n\"order\": [%s], \"seasonal\": [%s], \"mean\": %s,\n", name, number(case$y),
              number(case$order), number(c(case$seasonal, case$period)), tolower(as.character(case$mean))))
  cat(sprintf("\"coefficients\": [%s],\n\"errors\": [%s],\n\"variance\": %s, \"loglikelihood\": %s,\n",
              number(coef(fit)), number(sqrt(diag(fit$var.coef))), number(fit$sigma2), number(fit$loglik)))
  cat(sprintf("\"centre\": [%s], \"spread\": [%s]}%s\n", number(ahead$pred), number(ahead$se),
              if (name == "seasonal") "" else ","))
}
cat("}\n}\n")
