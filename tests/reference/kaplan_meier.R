# Reference numbers for tests/survival/test_kaplan_meier.py.
# Made with: Rscript tests/reference/kaplan_meier.R > tests/reference/kaplan_meier.json
# R and the package survival: apt-get install r-base-core r-cran-survival (versions stand in the JSON).
suppressMessages(library(survival))
options(digits = 17)

number <- function(x) paste(ifelse(is.na(x), "null", sprintf("%.17g", x)), collapse = ", ")
words <- function(x) paste(sprintf("\"%s\"", x), collapse = ", ")

# Whole years, so that events and censorings tie; one group whose curve reaches 0, one that stays above 1/2.
set.seed(20261121)
n <- c(40, 30, 25)
group <- rep(c("iron", "plastic", "steel"), n)
life <- ceiling(rweibull(sum(n), shape = 1.3, scale = rep(c(8, 40, 12), n)))
watched <- ceiling(runif(sum(n), 2, 30))
watched[group == "iron"] <- 99
duration <- pmin(life, watched)
event <- as.integer(life <= watched)

cat("{\n")
cat(sprintf("\"command\": \"Rscript tests/reference/kaplan_meier.R\",\n\"r\": \"%s\",\n\"survival_package\": \"%s\",\n",
            R.version.string, packageVersion("survival")))
cat(sprintf("\"duration\": [%s],\n\"event\": [%s],\n\"group\": [%s],\n", number(duration), number(event), words(group)))
cat("\"curves\": {\n")
names <- sort(unique(group))
for (g in names) {
  keep <- group == g
  fit <- survfit(Surv(duration[keep], event[keep]) ~ 1, conf.type = "log-log", conf.int = 0.95)
  middle <- quantile(fit, probs = 0.5)
  quarter <- quantile(fit, probs = 0.25)
  rm <- summary(fit, rmean = 10)$table
  cat(sprintf("\"%s\": {\"time\": [%s], \"at_risk\": [%s], \"events\": [%s], \"survival\": [%s],\n", g,
              number(fit$time), number(fit$n.risk), number(fit$n.event), number(fit$surv)))
  cat(sprintf("  \"std_log\": [%s],\n  \"lower\": [%s],\n  \"upper\": [%s],\n",
              number(ifelse(is.finite(fit$std.err), fit$std.err, NA)), number(fit$lower), number(fit$upper)))
  cat(sprintf("  \"median\": [%s], \"quarter\": [%s], \"rmean10\": [%s]}%s\n",
              number(c(middle$quantile, middle$lower, middle$upper)),
              number(c(quarter$quantile, quarter$lower, quarter$upper)),
              number(c(rm["rmean"], rm["se(rmean)"])), if (g == names[length(names)]) "" else ","))
}
cat("}\n}\n")
