# Reference values of tests/golden/reference.json, from R and lme4. Run by hand from the root of
# the repository, never by `make test`:
#
#     Rscript tests/golden/reference.R
#
# Debian packages: r-base-core r-cran-lme4 r-cran-lmertest r-cran-nlme r-cran-jsonlite.
# lme4's default optimiser stops at a false boundary on some of these models (radon/rs), so each
# model is fitted from several starts by several optimisers, the best is kept and then refined by
# Newton steps on the deviance. nlme fits the nested models again, as a check.

suppressMessages({
  library(lme4)
  library(nlme)
  library(lmerTest)
  library(jsonlite)
})

read <- function(name) read.csv(file.path("data", paste0(name, ".csv")), stringsAsFactors = FALSE)
clean <- function(x) gsub("\\.", "_", x)

azpro <- read("azpro")
azpro$log_los <- log(azpro$los)
hospitals <- unique(azpro[, c("hospital", "hosp_n", "hosp_cabg_share")])
azpro$cabg_share_c <- azpro$hosp_cabg_share - mean(hospitals$hosp_cabg_share)
azpro$log_n_c <- log(azpro$hosp_n) - mean(log(hospitals$hosp_n))
medpar <- read("medpar")
medpar$log_los <- log(medpar$los)
medpar$provider <- sprintf("%06d", as.integer(medpar$provider))
medpar$type2 <- as.integer(medpar$type == 2)
medpar$type3 <- as.integer(medpar$type == 3)
rhdnase <- read("rhdnase")
radon <- read("radon")
sleepstudy <- read("sleepstudy")
sleepstudy$Subject <- as.character(sleepstudy$Subject)
pastes <- read("pastes")
penicillin <- read("penicillin")
lung <- read("lung")
lung <- lung[!is.na(lung$inst) & lung$inst != "", ]
wtloss <- lung[complete.cases(lung[, c("wt.loss", "sex", "ph.ecog", "age")]), ]
karno <- lung[complete.cases(lung[, c("ph.karno", "sex", "age")]), ]

# key = data, lme4 formula, and for nlme the random part (NULL: not nested)
models <- list(
  "azpro/null" = list(azpro, log_los ~ 1 + (1 | hospital), ~ 1 | hospital),
  "azpro/ri" = list(azpro, log_los ~ cabg + male + urgent + age75 + (1 | hospital), ~ 1 | hospital),
  "azpro/rs" = list(azpro, log_los ~ cabg + male + urgent + age75 + (1 + cabg | hospital),
                    ~ 1 + cabg | hospital),
  "azpro/rs_uncorr" = list(azpro, log_los ~ cabg + male + urgent + age75 + (1 + cabg || hospital),
                           list(hospital = pdDiag(~ 1 + cabg))),
  "azpro/rs_l2" = list(azpro, log_los ~ cabg + male + urgent + age75 + cabg_share_c + log_n_c +
                       (1 + cabg | hospital), ~ 1 + cabg | hospital),
  "azpro/raw_los" = list(azpro, los ~ cabg + male + urgent + age75 + (1 + cabg | hospital),
                         ~ 1 + cabg | hospital),
  "medpar/ri" = list(medpar, log_los ~ hmo + white + age80 + type2 + type3 + (1 | provider),
                     ~ 1 | provider),
  "rhdnase/fev" = list(rhdnase, fev ~ trt + (1 | inst), ~ 1 | inst),
  "radon/null" = list(radon, log_radon ~ 1 + (1 | county), ~ 1 | county),
  "radon/floor" = list(radon, log_radon ~ floor + (1 | county), ~ 1 | county),
  "radon/uranium" = list(radon, log_radon ~ floor + log_uranium + (1 | county), ~ 1 | county),
  "radon/uranium_p01" = list(radon, log_radon_p01 ~ floor + log_uranium + (1 | county),
                             ~ 1 | county),
  "radon/rs" = list(radon, log_radon ~ floor * log_uranium + (1 + floor | county),
                    ~ 1 + floor | county),
  "sleepstudy/ri" = list(sleepstudy, Reaction ~ Days + (1 | Subject), ~ 1 | Subject),
  "sleepstudy/rs" = list(sleepstudy, Reaction ~ Days + (1 + Days | Subject), ~ 1 + Days | Subject),
  "sleepstudy/rs_uncorr" = list(sleepstudy, Reaction ~ Days + (1 + Days || Subject),
                                list(Subject = pdDiag(~ 1 + Days))),
  "pastes/nested" = list(pastes, strength ~ 1 + (1 | batch) + (1 | sample), ~ 1 | batch / sample),
  "pastes/sample" = list(pastes, strength ~ 1 + (1 | sample), ~ 1 | sample),
  "penicillin/crossed" = list(penicillin, diameter ~ 1 + (1 | plate) + (1 | sample), NULL),
  "lung/wtloss" = list(wtloss, wt.loss ~ sex + ph.ecog + age + (1 | inst), ~ 1 | inst),
  "lung/karno" = list(karno, ph.karno ~ sex + age + (1 | inst), ~ 1 | inst)
)

# Newton steps on the deviance in theta, held at 0 where lme4 has it at 0.
polish <- function(devfun, theta, lower) {
  gradient <- function(f, x, h) sapply(seq_along(x), function(i) {
    e <- replace(numeric(length(x)), i, h); (f(x + e) - f(x - e)) / (2 * h)
  })
  free <- !(lower == 0 & theta < 1e-4)
  if (!any(free)) return(theta)
  f <- function(x) devfun(replace(theta, free, x))
  x <- theta[free]
  for (step in 1:8) {
    g <- gradient(f, x, 1e-4)
    H <- sapply(seq_along(x), function(i) {
      e <- replace(numeric(length(x)), i, 1e-3)
      (gradient(f, x + e, 1e-4) - gradient(f, x - e, 1e-4)) / 2e-3
    })
    new <- x - solve((H + t(H)) / 2, g)
    if (any(new[lower[free] == 0] < 0) || f(new) > f(x) - 1e-12) break
    x <- new
  }
  replace(theta, free, x)
}

fit <- function(data, formula, reml) {
  parsed <- lFormula(formula, data, REML = reml)
  make <- function() do.call(mkLmerDevfun, c(parsed, list(control = lmerControl())))
  lower <- environment(make())$lower
  best <- NULL
  for (optimizer in c("bobyqa", "Nelder_Mead", "nloptwrap")) for (scale in c(1, 0.2, 0.05)) {
    devfun <- make()
    start <- ifelse(lower == 0, scale, 0)
    opt <- suppressWarnings(suppressMessages(
      optimizeLmer(devfun, optimizer = optimizer, start = start, restart_edge = TRUE,
                   boundary.tol = 1e-5)
    ))
    if (is.null(best) || opt$fval < best$fval - 1e-10) best <- opt
  }
  devfun <- make()
  theta <- polish(devfun, best$par, lower)
  opt <- best
  opt$par <- theta
  opt$fval <- devfun(theta)
  stopifnot(opt$fval <= best$fval + 1e-8)
  suppressWarnings(suppressMessages(
    mkMerMod(environment(devfun), opt, parsed$reTrms, fr = parsed$fr)
  ))
}

describe <- function(model) {
  components <- as.data.frame(VarCorr(model))
  effects <- ranef(model, condVar = TRUE)
  random <- do.call(rbind, lapply(names(effects), function(g) {
    e <- effects[[g]]
    v <- attr(e, "postVar")
    sds <- if (is.list(v)) do.call(cbind, lapply(v, function(a) sqrt(a[1, 1, ])))
           else t(apply(v, 3, function(m) sqrt(pmax(diag(as.matrix(m)), 0))))
    if (ncol(e) == 1) sds <- matrix(as.vector(sds), ncol = 1)
    do.call(rbind, lapply(seq_along(e), function(k) data.frame(
      group = g, level = rownames(e), term = names(e)[k], effect = e[[k]], sd = sds[, k]
    )))
  }))
  list(
    n = nobs(model),
    fixed = as.list(fixef(model)),
    se = as.list(sqrt(diag(as.matrix(vcov(model))))),
    components = components,
    loglik = as.numeric(logLik(model)),
    random = random
  )
}

out <- list()
for (key in names(models)) for (reml in c(TRUE, FALSE)) {
  m <- models[[key]]
  model <- fit(m[[1]], m[[2]], reml)
  entry <- describe(model)
  entry$default_excess <- -2 * (as.numeric(logLik(suppressWarnings(suppressMessages(
    lme4::lmer(m[[2]], m[[1]], REML = reml))))) - entry$loglik)
  if (!is.null(m[[3]])) {
    fixed <- lme4::nobars(m[[2]])
    again <- try(suppressWarnings(lme(fixed, data = m[[1]], random = m[[3]],
                                      method = if (reml) "REML" else "ML",
                                      control = lmeControl(maxIter = 500, msMaxIter = 500,
                                                           opt = "optim"))), silent = TRUE)
    if (!inherits(again, "try-error")) {
      entry$nlme_loglik_difference <- as.numeric(logLik(again)) - entry$loglik
    }
  }
  if (reml) {
    # lmerTest works on its own fit: its degrees of freedom count only where that fit is right.
    own <- suppressWarnings(suppressMessages(lmerTest::lmer(m[[2]], m[[1]], REML = TRUE,
      control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9)))))
    if (abs(as.numeric(logLik(own)) - entry$loglik) < 1e-6) {
      table <- suppressWarnings(suppressMessages(summary(own)$coefficients))
      entry$satterthwaite <- as.list(setNames(table[, "df"], rownames(table)))
    }
  }
  out[[paste0(key, if (reml) "/REML" else "/ML")]] <- entry
  cat(key, if (reml) "REML" else "ML", format(entry$loglik, digits = 12),
      "default lmer misses by", signif(entry$default_excess / 2, 3), "\n")
}

# Profile intervals of the standard deviations and correlations: lme4 profiles the plain
# likelihood only.
for (key in c("radon/uranium", "sleepstudy/rs", "pastes/sample", "penicillin/crossed")) {
  m <- models[[key]]
  ends <- suppressMessages(confint(lme4::lmer(m[[2]], m[[1]], REML = FALSE), parm = "theta_",
                                   oldNames = FALSE))
  out[[paste0(key, "/ML")]]$profile <- list(
    parameter = rownames(ends), lower = ends[, 1], upper = ends[, 2]
  )
}

versions <- c(R = paste(R.version$major, R.version$minor, sep = "."), sapply(
  c("lme4", "nlme", "lmerTest"), function(p) as.character(packageVersion(p))))
write_json(
  list(made_by = "tests/golden/reference.R", versions = as.list(versions), fits = out),
  "tests/golden/reference.json", auto_unbox = TRUE, digits = 12, dataframe = "columns",
  null = "null", na = "null"
)
