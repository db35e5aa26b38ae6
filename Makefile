# `make help` lists what there is.

.DEFAULT_GOAL := help
.PHONY: help build demo demo-stop test clean fmt lint run-coordinator run-client run-client-1 run-client-2 run-client-3 \
	dev-setup dev-start dev-stop dev-status dev-cleanup

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## what bin/ runs: jars and AOT caches, in cli/target/dist
	@scripts/mvn -q -DskipTests package
	@scripts/dist.sh

demo: dev-setup ## a real tree through all three tiers on three mounts; leaves them up (ARGS=--stop: does not)
	@scripts/demo.sh $(ARGS)

demo-stop: ## stop the demo that is up, and remove what it made
	@scripts/demo.sh stop

test: ## install what is missing, check and test everything; ends with 'N passed, N failed'
	@scripts/install-deps.sh
	@scripts/test.sh

clean: ## remove what the build made (a running cluster and .dev stay: dev-cleanup)
	@scripts/mvn -q clean

fmt: ## format the Java code
	@scripts/mvn -q -pl '!stores' spotless:apply

lint: ## compile with every check as an error, and check the format
	@scripts/mvn -q -DskipTests verify
	@if command -v shellcheck >/dev/null; then shellcheck bin/* scripts/*.sh scripts/*/*.sh scripts/mvn .ci/run; fi

run-coordinator: build ## a coordinator in the foreground
	@scripts/dev/cluster.sh run-coordinator

run-client: run-client-1 ## a client in the foreground, mounted at .dev/node1/mnt

run-client-1: build ## node 1 in the foreground
	@scripts/dev/cluster.sh run-node 1

run-client-2: build ## node 2 in the foreground
	@scripts/dev/cluster.sh run-node 2

run-client-3: build ## node 3 in the foreground
	@scripts/dev/cluster.sh run-node 3

dev-setup: ## install what is missing, and build
	@scripts/install-deps.sh
	@$(MAKE) --no-print-directory build

dev-start: dev-setup ## a coordinator (ARGS=3: three) and three clients in the background, over the folder .dev/bucket
	@scripts/dev/cluster.sh start $(ARGS)

dev-stop: ## stop them, after their uploads
	@scripts/dev/cluster.sh stop

dev-status: ## which of them run
	@scripts/dev/cluster.sh status

dev-cleanup: ## stop them and remove .dev with all that is in it
	@scripts/dev/cluster.sh cleanup
