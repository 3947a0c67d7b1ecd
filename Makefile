# Every target makes the environment it needs (.venv, in this folder) on its first run.
PYTHON ?= python3
RUN := .venv/bin/python

.PHONY: help book test test-browser tamper fuzz mutate lite bench pdf regen serve torch tools audit versions lock setup clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

setup:
	@"$(PYTHON)" tools/setup_env.py

book: setup  ## build the book into _build/html
	@$(RUN) tools/build.py

test: setup  ## check the helpers and every stored output of every chapter
	@$(RUN) -m pytest

test-browser: book  ## check the built book in headless Chromium
	@$(RUN) -m pytest tests/browser -o addopts= --numprocesses=3 --dist=worksteal  # they often wait

tamper: setup  ## plant 50 faults in copies of the book, and see that the tests catch each
	@$(RUN) tools/tamper.py

fuzz: setup  ## give the helpers over 10,000 bad arguments, and see that each error names its argument
	@$(RUN) tools/fuzz.py

mutate: tools  ## change the helpers in one place at a time, and see that the unit tests notice (an hour)
	@$(RUN) tools/mutate.py

lite: setup  ## execute the chapters that run in the browser with the versions they meet there
	@$(RUN) tools/lite.py

bench: setup  ## time the mixing beside the plain formula and other libraries (15 minutes, nothing else running)
	@$(RUN) benchmarks/mixing.py
	@$(RUN) benchmarks/pipelines.py

pdf: setup  ## print the whole book to _build/mixup-book.pdf, with headless Chromium
	@$(RUN) tools/pdf.py

regen: setup  ## execute the chapters whose outputs are stale (ALL=1: every chapter)
	@$(RUN) tools/regen.py $(if $(ALL),--all)

serve: book  ## build the book and open it on localhost
	@$(RUN) tools/serve.py

torch: setup  ## add PyTorch and the other implementations (4 GB), for the chapter Others
	@$(RUN) -m pip install --quiet --requirement requirements-torch.txt

tools: setup
	@$(RUN) -m pip install --quiet --requirement requirements-tools.txt

audit: tools  ## check the pins against a list of known faults, where one can be reached
	@$(RUN) tools/audit.py

versions: tools  ## try the oldest and newest versions allowed, and the pins as on other processors (an hour)
	@$(RUN) tools/versions.py $(if $(QUICK),--quick)

lock: tools  ## resolve the .in files into pins with hashes, and try those for every supported system (PyTorch's for none)
	@$(RUN) tools/lock.py

clean:  ## remove the built book and the environment
	rm -rf _build .venv
