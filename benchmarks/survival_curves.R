# Times R's survival on rows written by benchmarks/survival_curves.py: Rscript survival_curves.R FOLDER POINT N REPEATS.
suppressMessages(library(survival))
given <- commandArgs(trailingOnly = TRUE)
n <- as.integer(given[3])
column <- function(name) readBin(file.path(given[1], name), "double", n)
time <- column("time"); event <- column("event"); group <- as.integer(column("group")); risk <- column("risk")
y <- Surv(time, event)
for (turn in seq_len(as.integer(given[4]))) {
  spent <- system.time(found <- switch(given[2],
    curves = survfit(y ~ group), log_rank = survdiff(y ~ group), concordance = concordance(y ~ risk, reverse = TRUE)))
  value <- switch(given[2], curves = sum(found$surv), log_rank = found$chisq,
                  concordance = c(found$concordance, sqrt(found$var)))
  cat(sprintf("%.6f", spent[[1]] + spent[[2]]), sprintf("%.17g", value), "\n")
}
