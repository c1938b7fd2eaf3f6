# `make` prints the targets. The two that a newcomer needs are demo and test; each
# installs what it needs, on a machine that has Go, Node.js with npm, and make.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
GO          ?= go
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LIBRARY     := node_modules/.package-lock.json
# The race detector needs a C compiler; nothing else does. What C's compiler made of
# SQLite is not ours to watch, and takes four times as long when it is watched.
RACE        := $(shell command -v $${CC:-gcc} >/dev/null 2>&1 && echo "-race '-gcflags=modernc.org/sqlite/lib=-race=false'")
CGO         := $(if $(RACE),1,0)
# Packages without goroutines, of those whose tests take long.
ALONE       := ./extractors ./extractors/export ./extractors/manifest ./internal/plan ./schema ./schema/normalize
# The tests of this package take longest: it goes first, so that the others run beside it.
LONGEST     := ./loaders

.DEFAULT_GOAL := help
.PHONY: help demo build test check unit e2e lint compose bench fuzz fuzz-short prove prove-short gen clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## simulated networks, embedded ClickHouse and the daemon, until Ctrl-C
	@exec ./bin/syncd demo

build: $(LIBRARY) ## the static binary, bin/syncd
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/syncd ./cmd/syncd

# The ClickHouse library comes from the lock file; nothing of it runs at install time.
$(LIBRARY): package-lock.json package.json
	npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

test: lint compose unit fuzz-short e2e prove-short ## everything that CI checks
	@echo "all checks passed"

lint: ## formatting, vet, modernizers, staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) fix -diff ./...
	$(GO) tool -modfile=tools.mod staticcheck ./...

unit: $(LIBRARY) ## tests of the packages, real ClickHouse and SQLite included
	CGO_ENABLED=0 $(GO) test -timeout 20m $(ALONE)
	CGO_ENABLED=$(CGO) $(GO) test $(RACE) -timeout 20m $(LONGEST) $$($(GO) list ./... | grep -vxF -e syncd/tests $(ALONE:./%=-e syncd/%))

# Most of these tests wait most of the time.
e2e: build ## the built binary against simulated networks and the embedded ClickHouse
	$(GO) test -count=1 -parallel 4 -timeout 20m ./tests/

# SEED=N replays one seed; SEEDS=N runs so many, from FIRST=1 on. The figures go to docs/proof.md.
prove: $(LIBRARY) ## the oracle test: 200 seeds of everything going wrong; SEEDS=n, FIRST=n, SEED=n
	SYNCD_PROVE=$(or $(SEEDS),200) SYNCD_PROVE_FIRST=$(FIRST) $(if $(SEED),SYNCD_PROVE_SEED=$(SEED),SYNCD_PROVE_REPORT=$(CURDIR)/docs/proof.md) \
	  $(GO) test -count=1 -v -run '^TestProve$$' -timeout 48h ./tests/

prove-short: $(LIBRARY) ## as many seeds of it as fit into PROVE_FOR=5m
	SYNCD_PROVE=$(or $(PROVE_FOR),5m) $(GO) test -count=1 -v -run '^TestProve$$' -timeout 1h ./tests/

compose: ## docker-compose.yml is what docker-compose accepts
	./tests/compose-config

bench: build ## speed and memory, each beside its reference in the same run
	$(GO) run ./tests/bench

fuzz: ## every fuzzer for FUZZTIME (10s); what reached new code is kept for the next time
	@GO=$(GO) tests/fuzz

# Short, and from the kept corpora alone, so that no run of CI depends on the one before.
fuzz-short: ## every fuzzer for a moment
	@GO=$(GO) FUZZTIME=$${FUZZTIME:-1s} FUZZCACHE=none tests/fuzz

gen: ## write what is generated: the configuration's JSON Schema and golden files
	$(GO) test ./internal/config ./loaders ./extractors ./extractors/manifest ./schema/normalize ./cmd/syncd -update

clean: ## remove what was built
	rm -rf bin
