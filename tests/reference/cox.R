# Reference numbers for tests/survival/test_cox_reference.py.
# Made with: Rscript tests/reference/cox.R > tests/reference/cox.json
# R and the package survival: apt-get install r-base-core r-cran-survival (versions stand in the JSON).
suppressMessages(library(survival))

number <- function(x) paste(sprintf("%.15g", x), collapse = ", ")
field <- function(name, x) sprintf("\"%s\": [%s]", name, number(t(x)))  # matrices a row after the other

# Rows of mains in whole years, so that events, censorings and entries tie; some mains have two rows, the second entered
# when the first ended.
set.seed(20261126)
mains <- 90
age <- ceiling(rweibull(mains, shape = 1.4, scale = 14))
from <- pmin(floor(runif(mains, 0, 8)), age - 1)
until <- from + ceiling(runif(mains, 1, 25))
size <- rnorm(mains)
iron <- as.numeric(runif(mains) < 0.4)
zone <- sample(c("east", "north", "west"), mains, replace = TRUE)
weight <- round(runif(mains, 0.4, 2.5), 3)
one <- data.frame(main = seq_len(mains), entry = from, stop = pmin(age, until), event = as.integer(age <= until),
                  size, iron, breaks = rpois(mains, 0.6), zone, weight)
two <- subset(one, stop >= 6)[1:30, ]
two$entry <- two$stop
two$stop <- two$entry + ceiling(runif(30, 0, 9))
two$event <- as.integer(runif(30) < 0.6)
two$breaks <- two$breaks + 1
d <- rbind(one, two)
d <- d[order(d$main, d$entry), ]
rownames(d) <- NULL
exact <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 60)

right <- Surv(stop, event) ~ size + iron + breaks
late <- Surv(entry, stop, event) ~ size + iron + breaks
cases <- list(
  right_efron = coxph(right, d, ties = "efron", control = exact),
  right_breslow = coxph(right, d, ties = "breslow", control = exact),
  late_efron = coxph(late, d, ties = "efron", control = exact),
  late_breslow = coxph(late, d, ties = "breslow", control = exact),
  strata_efron = coxph(update(right, . ~ . + strata(zone)), d, ties = "efron", control = exact),
  weighted_cluster = coxph(right, d, weights = weight, cluster = main, ties = "efron", control = exact),
  all_efron = coxph(update(late, . ~ . + strata(zone)), d, weights = weight, cluster = main, ties = "efron", control = exact),
  all_breslow = coxph(update(late, . ~ . + strata(zone)), d, weights = weight, cluster = main, ties = "breslow", control = exact),
  ridge = coxph(Surv(stop, event) ~ ridge(size, iron, breaks, theta = 2.5, scale = FALSE), d, ties = "efron",
                control = exact)
)

say <- function(name, fit) {
  parts <- c(
    field("coefficients", coef(fit)),
    field("standard_errors", sqrt(diag(fit$var))),
    field("model_errors", sqrt(diag(if (is.null(fit$naive.var)) fit$var else fit$naive.var))),
    field("loglikelihood", fit$loglik)
  )
  if (name != "ridge") {
    base <- basehaz(fit, centered = FALSE)
    parts <- c(parts, field("baseline_time", base$time), field("baseline_cumulative", base$hazard))
    if (name %in% c("right_efron", "all_efron", "all_breslow")) {
      for (kind in c("martingale", "deviance", "score", "dfbeta", "schoenfeld", "scaledsch")) {
        parts <- c(parts, field(kind, residuals(fit, type = kind, weighted = kind == "dfbeta")))
      }
    }
    for (clock in c("km", "identity", "rank", "log")) {
      parts <- c(parts, field(paste0("zph_", clock), cox.zph(fit, transform = clock)$table[, "chisq"]))
    }
  }
  sprintf("\"%s\": {%s}", name, paste(parts, collapse = ",\n  "))
}

cat("{\n")
cat(sprintf("\"command\": \"Rscript tests/reference/cox.R\",\n\"r\": \"%s\",\n\"survival_package\": \"%s\",\n",
            R.version.string, packageVersion("survival")))
for (name in c("main", "entry", "stop", "event", "size", "iron", "breaks", "weight")) cat(field(name, d[[name]]), ",\n", sep = "")
cat(sprintf("\"zone\": [%s],\n", paste(sprintf("\"%s\"", d$zone), collapse = ", ")))
cat("\"cases\": {\n", paste(mapply(say, names(cases), cases), collapse = ",\n"), "\n}\n}\n", sep = "")
