# Two commands: `make run` and `make test`. Each sets up what it needs.
SHELL := /bin/bash
.DEFAULT_GOAL := run
.PHONY: run test check flow bench swarm diagnose fuzz soak generate build cross packages pictures fmt

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
SETUP   := build/setup.sh

run: ## set up, build and start: the window where a display is, else a node
	@$(SETUP) page $(if $(DISPLAY)$(WAYLAND_DISPLAY),window)
	@if [ -n "$(DISPLAY)$(WAYLAND_DISPLAY)" ]; then \
	  go build -trimpath -tags desktop,production,webkit2_41 -ldflags '$(LDFLAGS)' -o bin/inselnetz ./app/inselnetz && exec bin/inselnetz $(ARGS); \
	else \
	  CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/inselnetz ./app/inselnetz && exec bin/inselnetz serve $(ARGS); fi

test: build ## set up and run all tests
	@$(SETUP) test
	build/test.sh

build: ## the page and the headless program
	@$(SETUP) page
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/inselnetz ./app/inselnetz

cross: ## every platform the program is built for
	build/cross.sh '$(LDFLAGS)'

packages: ## installers and images of the last commit, into bin/packages, and tries them: ten minutes
	build/packages.sh
	build/package/check.sh

check: ## formatting, vet, generated files, page checks
	@$(SETUP) page
	build/check.sh

flow: build ## two people at the real window, with a stopwatch and pictures in bin/flow
	@$(SETUP) window flow
	build/flow.sh

bench: build ## the figures of BENCHMARKS.md, beside their rivals
	@$(SETUP) bench
	build/bench.sh

swarm: ## 50 programs on one bridge: the figures of mesh/lan/MEASURED.md (root, ten minutes)
	@$(SETUP) test
	build/swarm.sh $(HOSTS)

diagnose: ## a PC taken away in several ways, and what is said of it (root, two minutes)
	CGO_ENABLED=0 go test -tags diagnose -count=1 -v -run 'TestLabDiagnose$$' ./app/inselnetz

pictures: build ## every page, into bin/pictures, and the README's into build/pictures
	cd frontend && export INSELNETZ_BIN=$(CURDIR)/bin/inselnetz && node tests/pages.mjs && node tests/pictures.mjs

fuzz: ## every fuzz target for FUZZTIME (20s)
	build/fuzz.sh $(or $(FUZZTIME),20s)

soak: ## simulated offices of up to 50 devices for SOAK (10m); SEED=n DEVICES=n replays one
	SOAK=$(or $(SOAK),10m) SEED=$(SEED) DEVICES=$(DEVICES) CGO_ENABLED=0 go test -count=1 -timeout 0 -run 'TestSoak$$' -v ./mesh/sim

generate: ## TypeScript types, third-party notices, golden files
	build/generate.sh

fmt: ## format Go and the page
	gofmt -w $$(git ls-files '*.go') && cd frontend && npm run --silent format
