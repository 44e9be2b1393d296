# Every command a person types; `just` lists them.

set positional-arguments

kiln := "cargo run --release --quiet"

# List the recipes
[private]
default:
    @just --list --unsorted

# Train a network: just train lenet --dataset mnist --backend wgpu
[group('use')]
train *arguments:
    @just _kiln train "$@"

# Evaluate a run: just eval latest
[group('use')]
eval *arguments:
    @just _kiln eval "$@"

# Classify pictures: just predict latest digit.png
[group('use')]
predict *arguments:
    @just _kiln predict "$@"

# Write one HTML file about runs: just report RUN RUN --output comparison.html
[group('use')]
report *arguments:
    @just _kiln report "$@"

# Draw a digit and watch networks answer: just playground RUN RUN
[group('use')]
playground *arguments:
    @just _kiln playground "$@"
# Look inside a trained network: just view latest feature-maps --image 7
[group('use')]
view *arguments:
    @just _kiln view "$@"

# List models, datasets, optimizers, schedules or backends: just list models
[group('use')]
list *arguments:
    @just _kiln list "$@"

# Show a network layer by layer: just summary resnet20
[group('use')]
summary *arguments:
    @just _kiln summary "$@"

# Convolve small matrices, every sum spelled out: just conv --input '1 2 3 4 5' --kernel '2 1'
[group('use')]
conv *arguments:
    @just _kiln conv "$@"

# Time training steps and inference: just bench lenet resnet20 --threads 2
[group('use')]
bench *arguments:
    @just _kiln bench "$@"

# Write weights for other programs: just export latest --output lenet.safetensors
[group('use')]
export *arguments:
    @just _kiln export "$@"

# Make a run folder of a weight file: just import --model resnet18 --weights resnet18.pth
[group('use')]
import *arguments:
    @just _kiln import "$@"

# List, check, fetch and import data sets: just data list
[group('use')]
data *arguments:
    @just _kiln data "$@"

# List and remove runs: just runs list
[group('use')]
runs *arguments:
    @just _kiln runs "$@"

# Answer a question by experiment: just experiment mlp-vs-cnn --quick; without a name, list them
[group('use')]
experiment name='' *arguments:
    #!/usr/bin/env bash
    set -euo pipefail
    if [ -z "$1" ]; then exec {{ kiln }} -- list experiments; fi
    features=()
    for backend in wgpu cuda; do
        case " $* " in *" --backend"[\ =]"$backend"* | *" --device"[\ =]"$backend"*) features+=(--features "$backend") ;; esac
    done
    ls experiments/src/bin | grep -qx -- "$1\(\.rs\)\?" || { echo "there is no experiment '$1'; \`just experiment\` lists them" >&2; exit 2; }
    exec cargo run --release --quiet --package kiln-experiments "${features[@]}" --bin "$1" -- "${@:2}"

# Train a part of stored results again and compare; without a name, of every experiment
[group('develop')]
check-results *names:
    #!/usr/bin/env bash
    set -euo pipefail
    cargo build --release --quiet --package kiln-experiments
    failed=0
    for name in ${*:-$(ls experiments/results)}; do target/release/"$name" --check || failed=1; done
    exit $failed

# Show backends, adapters, data and versions
[group('use')]
doctor *arguments:
    @just _kiln doctor "$@"

# Run the program with the Cargo features that `--backend` and `--format onnx` need
[private]
_kiln *arguments:
    #!/usr/bin/env bash
    set -euo pipefail
    backend=flex
    previous=
    for argument in "$@"; do
        case "$previous" in --backend | --device) backend=$argument ;; esac
        case "$argument" in --backend=* | --device=*) backend=${argument#*=} ;; esac
        previous=$argument
    done
    backend=${backend%%:*}
    features=()
    case "$backend" in
        ndarray | wgpu | vulkan | metal | webgpu | cuda | rocm | tch) features+=(--features "$backend") ;;
    esac
    case " $* " in *" --format onnx "* | *" --format=onnx "*) features+=(--features onnx) ;; esac
    exec {{ kiln }} "${features[@]}" -- "$@"

# Run the tests, with nextest where it is installed
[group('develop')]
test *arguments:
    #!/usr/bin/env bash
    set -euo pipefail
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --cargo-profile release --workspace "$@"
    else
        cargo test --release --workspace "$@"
    fi

# Run the slow tests too; they find real data through KILN_DATA_DIR
[group('develop')]
test-slow *arguments:
    cargo test --release --workspace "$@" -- --include-ignored

# Test another backend: just test-backend wgpu
[group('develop')]
test-backend name:
    BURN_DEVICE={{ name }} KILN_TEST_BACKEND={{ name }} cargo test --release -p kiln --features {{ name }} --test backends -- --nocapture --test-threads 1

# Compare speed and memory with PyTorch: just bench-pytorch --rounds 5 --output results.md
[group('develop')]
bench-pytorch *arguments:
    #!/usr/bin/env bash
    set -euo pipefail
    python=target/pytorch/bin/python
    if ! "$python" -c "import torch, numpy" 2>/dev/null; then
        python3 -m venv target/pytorch
        "$python" -m pip install --quiet torch numpy
    fi
    cargo build --release --quiet
    "$python" bench/pytorch.py "$@"

# Measure speed over batch size, threads, image size and network: just bench-scaling --output scaling.md
[group('develop')]
bench-scaling *arguments:
    cargo build --release --quiet
    python3 bench/scaling.py "$@"

# Time the CPU kernels on the shapes of known networks: just bench-kernels 'conv resnet20'
[group('develop')]
bench-kernels filter='':
    cargo bench --quiet --workspace --bench kernels -- {{ quote(filter) }}

# Run the tests of the CPU kernels with the address sanitizer; builds Burn once more
[group('develop')]
sanitize-kernels:
    RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address cargo test --release -p kiln-kernels --test kernels --target "$(rustc --print host-tuple)" --target-dir target/sanitize

# Everything that CI checks
[group('develop')]
ci:
    cargo fmt --all --check
    cargo clippy --release --workspace --all-targets --quiet -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --release --workspace --no-deps --quiet
    cargo test --release --workspace

# Build and open the documentation
[group('develop')]
doc:
    cargo doc --release --workspace --no-deps --open

# Build the book in docs/ as a site in docs/book
[group('develop')]
book:
    @command -v mdbook >/dev/null || { echo "needs mdbook: cargo install mdbook" >&2; exit 1; }
    mdbook build docs
