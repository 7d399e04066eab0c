# Reference numbers for tests/survival/test_reference.py.
# Made with: Rscript tests/reference/survival_curves.R > tests/reference/survival_curves.json
# R and the package survival: apt-get install r-base-core r-cran-survival (versions stand in the JSON).
suppressMessages(library(survival))
options(digits = 17)

number <- function(x) paste(ifelse(is.finite(x), sprintf("%.17g", x), "null"), collapse = ", ")
words <- function(x) paste(sprintf("\"%s\"", x), collapse = ", ")
put <- function(name, x, end = ",\n") cat(sprintf("\"%s\": [%s]%s", name, number(x), end))

# Whole years with heavy ties; some rows enter in the year in which others end.
set.seed(20261126)
n <- 120
group <- rep(c("iron", "plastic", "steel"), c(50, 40, 30))
layer <- ifelse(runif(n) < 0.5, "east", "west")
life <- ceiling(rweibull(n, shape = 1.4, scale = rep(c(10, 25, 14), c(50, 40, 30)))) + 1
watched <- ceiling(runif(n, 3, 30))
exit <- pmin(life, watched)
event <- as.integer(life <= watched)
entry <- pmin(floor(runif(n) * exit * 0.8), exit - 1)
weight <- round(runif(n, 0.5, 2), 3)
cluster <- sample(1:30, n, replace = TRUE)
cause <- ifelse(event == 1, ifelse(runif(n) < 0.4, "corrosion", "frost"), "")
risk <- round(-life / 6 + rnorm(n), 1)

cat("{\n")
cat(sprintf("\"command\": \"Rscript tests/reference/survival_curves.R\",\n\"r\": \"%s\",\n\"survival_package\": \"%s\",\n",
            R.version.string, packageVersion("survival")))
for (name in c("exit", "event", "entry", "weight", "cluster", "risk")) put(name, get(name))
for (name in c("group", "layer", "cause")) cat(sprintf("\"%s\": [%s],\n", name, words(get(name))))

cat("\"curves\": {\n")
for (g in sort(unique(group))) {
  keep <- group == g
  for (kind in c("entry", "weight", "both")) {
    y <- if (kind == "weight") Surv(exit[keep], event[keep]) else Surv(entry[keep], exit[keep], event[keep])
    w <- if (kind == "entry") rep(1, sum(keep)) else weight[keep]
    fit <- survfit(y ~ 1, weights = w, conf.type = "log-log", robust = FALSE)
    middle <- quantile(fit, probs = 0.5)
    rm <- summary(fit, rmean = 9)$table
    cat(sprintf("\"%s %s\": {\n", g, kind))
    put("time", fit$time); put("at_risk", fit$n.risk); put("events", fit$n.event); put("survival", fit$surv)
    put("std_log", fit$std.err); put("lower", fit$lower); put("upper", fit$upper)
    put("hazard", fit$cumhaz); put("std_hazard", fit$std.chaz)
    put("median", c(middle$quantile, middle$lower, middle$upper))
    put("rmean9", c(rm["rmean"], rm["se(rmean)"]), "\n")
    cat(if (g == "steel" && kind == "both") "}\n" else "},\n")
  }
}
cat("},\n\"log_rank\": {\n")
test <- function(name, formula, rho, end = ",\n") {
  found <- survdiff(formula, rho = rho)
  o <- if (is.matrix(found$obs)) rowSums(found$obs) else found$obs
  e <- if (is.matrix(found$exp)) rowSums(found$exp) else found$exp
  cat(sprintf("\"%s\": {\"observed\": [%s], \"expected\": [%s], \"variance\": [%s], \"statistic\": %s}%s", name,
              number(o), number(e), number(as.vector(found$var)), number(found$chisq), end))
}
test("log-rank", Surv(exit, event) ~ group, 0)
test("fleming-harrington", Surv(exit, event) ~ group, 1)
test("fleming-harrington half", Surv(exit, event) ~ group, 0.5)
test("stratified", Surv(exit, event) ~ group + strata(layer), 0)
test("stratified fleming-harrington", Surv(exit, event) ~ group + strata(layer), 1)
pair <- group != "steel"
test("iron and plastic", Surv(exit[pair], event[pair]) ~ group[pair], 0, "\n")

cat("},\n\"concordance\": {\n")
agree <- function(name, found, end = ",\n") {
  cat(sprintf("\"%s\": {\"value\": %s, \"error\": %s, \"counts\": [%s]}%s", name, number(found$concordance),
              number(sqrt(found$var)), number(found$count[1:3]), end))
}
y <- Surv(exit, event)
agree("plain", concordance(y ~ risk, reverse = TRUE))
agree("weight", concordance(y ~ risk, weights = weight, reverse = TRUE))
agree("entry", concordance(Surv(entry, exit, event) ~ risk, reverse = TRUE))
agree("entry weight", concordance(Surv(entry, exit, event) ~ risk, weights = weight, reverse = TRUE))
agree("cluster", concordance(y ~ risk, cluster = cluster, reverse = TRUE))
agree("uno", concordance(y ~ risk, timewt = "n/G2", ymax = 15, reverse = TRUE), "\n")

cat("},\n\"incidence\": {\n")
state <- factor(ifelse(event == 1, cause, "censored"), levels = c("censored", "corrosion", "frost"))
id <- seq_len(n)
for (kind in c("plain", "entry", "weight", "both")) {
  y <- if (kind %in% c("plain", "weight")) Surv(exit, state) else Surv(entry, exit, state)
  w <- if (kind %in% c("plain", "entry")) rep(1, n) else weight
  fit <- survfit(y ~ 1, weights = w, id = id)
  cat(sprintf("\"%s\": {\n", kind))
  put("time", fit$time); put("corrosion", fit$pstate[, 2]); put("frost", fit$pstate[, 3])
  put("std_corrosion", fit$std.err[, 2]); put("std_frost", fit$std.err[, 3], "\n")
  cat(if (kind == "both") "}\n" else "},\n")
}

# Recurrent events of thirty mains, entered at different ages, some with a gap in their watch.
rows <- do.call(rbind, lapply(1:30, function(s) {
  from <- floor(runif(1, 0, 5)); end <- from + ceiling(runif(1, 2, 12)); out <- NULL
  repeat {
    to <- from + ceiling(rexp(1, 0.35))
    if (to >= end) return(rbind(out, data.frame(subject = s, entry = from, exit = end, event = 0)))
    out <- rbind(out, data.frame(subject = s, entry = from, exit = to, event = 1))
    from <- to + (runif(1) < 0.2)
    if (from >= end) return(out)
  }
}))
fit <- survfit(Surv(entry, exit, event) ~ 1, data = rows, id = subject, robust = TRUE)
cat("},\n\"recurrent\": {\n")
for (name in names(rows)) put(name, rows[[name]])
put("time", fit$time); put("at_risk", fit$n.risk); put("mean", fit$cumhaz); put("std", fit$std.chaz, "\n")
cat("}\n}\n")
