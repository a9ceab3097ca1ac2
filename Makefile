# The only list of commands. `make help` shows it.

CARGO ?= cargo
# Where `make run` keeps its database.
RUN_DIR ?= .run

.DEFAULT_GOAL := help
.PHONY: help deps run test test-schema test-asterisk test-containers test-package test-newcomer test-upgrade package lint bench soak docs

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

deps: ## Install what building and testing need (a C linker, cargo-nextest, redis-server, PostgreSQL, PgBouncer, nginx, promtool, node, Python's venv, Chromium)
	@sh scripts/deps.sh

run: ## Run the service on 127.0.0.1:8000 with example numbers
	@sh scripts/deps.sh linker
	@mkdir -p -m 700 $(RUN_DIR)
	@$(CARGO) build --release --package caller-id
	@DATABASE_URL=sqlite:$(RUN_DIR)/caller-id.db $(TARGET)/release/caller-id import --mode db --csv data/caller_ids_example.csv
	@echo "The program is $(TARGET)/release/caller-id; its database and admin token are in $(RUN_DIR)"
	@DATABASE_URL=sqlite:$(RUN_DIR)/caller-id.db exec $(TARGET)/release/caller-id serve --show-token

test: deps lint ## Check and test everything
	$(CARGO) nextest run --workspace --locked
	$(CARGO) test --workspace --doc --locked
	@sh scripts/schema/test.sh
	@sh scripts/asterisk/test.sh where-possible
	@sh scripts/newcomer/test.sh where-possible

test-schema: deps ## Ask all that the OpenAPI document allows and forbids, as every role (some three minutes; SEED=, EXAMPLES=)
	@sh scripts/schema/test.sh

test-asterisk: deps ## Place calls on a real Asterisk (root; some three minutes, the first time two more)
	@sh scripts/asterisk/test.sh

test-containers: ## Check Dockerfile and docker-compose.yml, and run the service as its container would (root; no engine needed)
	@sh scripts/containers/test.sh

test-package: ## Install, run, upgrade, remove and purge the package in a small Debian (root; some two minutes)
	@sh scripts/package/test.sh

test-newcomer: ## Follow the documents from the README to a call with a rotated number, literally (root; half a minute, the first time three more)
	@sh scripts/newcomer/test.sh

test-upgrade: deps ## Upgrade from an older build, alone and node by node under load (a minute, the first time some more; OLDER=)
	@sh scripts/upgrade/test.sh

package: ## Make the package for Debian and Ubuntu
	@sh scripts/deps.sh linker
	$(CARGO) build --release --locked --package caller-id
	@sh scripts/package/build.sh $(TARGET)/release/caller-id $(TARGET)/package

lint: ## Formatting, lints and documentation
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" $(CARGO) doc --workspace --no-deps --locked --quiet

bench: ## Measure, and print ratios of one run (about half an hour; PART=pick for one part)
	@sh scripts/deps.sh linker
	$(CARGO) build --release --locked --package caller-id --package caller-id-bench
	$(TARGET)/release/caller-id-bench $(PART)

soak: deps ## Load and faults for ten minutes, and whether all of it held (SECONDS=, 30 to 3600)
	$(CARGO) build --release --locked --package caller-id --package caller-id-bench
	$(TARGET)/release/caller-id-bench soak --seconds $(or $(SECONDS),600)

docs: ## Write the documents that are made from the code
	CALLER_ID_UPDATE_DOCS=1 $(CARGO) test --package caller-id --test documents

TARGET = $(or $(CARGO_TARGET_DIR),target)
