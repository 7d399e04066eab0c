# Reference numbers for tests/regression/test_reference.py.
# Made with: Rscript tests/reference/least_squares.R > tests/reference/least_squares.json
# R, sandwich and lmtest: apt-get install r-base-core r-cran-sandwich r-cran-lmtest (versions stand in the JSON).
suppressMessages({library(sandwich); library(lmtest)})
options(digits = 17)

number <- function(x) paste(sprintf("%.17g", x), collapse = ", ")

# Sixty days in ten weeks: variance that grows with the first column, errors that remember.
set.seed(20261126)
n <- 60
one <- rnorm(n)
two <- as.numeric(seq_len(n) %% 7 < 2)
y <- 3 + 2 * one - 1.5 * two + as.numeric(arima.sim(list(ar = 0.6), n)) * (1 + abs(one))
fit <- lm(y ~ one + two)
errors <- function(v) number(sqrt(diag(v)))

cat("{\n")
cat(sprintf("\"command\": \"Rscript tests/reference/least_squares.R\",\n\"r\": \"%s\",\n\"sandwich\": \"%s\",\n\"lmtest\": \"%s\",\n",
            R.version.string, packageVersion("sandwich"), packageVersion("lmtest")))
cat(sprintf("\"one\": [%s],\n\"two\": [%s],\n\"y\": [%s],\n", number(one), number(two), number(y)))
cat(sprintf("\"coefficients\": [%s],\n\"classic\": [%s],\n\"hc3\": [%s],\n", number(coef(fit)), errors(vcov(fit)),
            errors(vcovHC(fit, type = "HC3"))))
hac <- function(lag, adjust) errors(NeweyWest(fit, lag = lag, prewhite = FALSE, adjust = adjust))
cat(sprintf("\"hac_5\": [%s],\n\"hac_5_corrected\": [%s],\n\"hac_24\": [%s],\n", hac(5, FALSE), hac(5, TRUE), hac(24, FALSE)))
cat(sprintf("\"durbin_watson\": %s,\n\"cook\": [%s]\n}\n", number(dwtest(fit)$statistic), number(cooks.distance(fit))))
