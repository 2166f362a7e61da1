"""Builds the models of the oracle suite, one after the other, and keeps them.

    /usr/bin/python3 scripts/oracle/make-zoo.py [--out .oracle] [--ci | --models a,b,…] [--again]

For each model NAME: NAME.input.npz, NAME.exact.npz (its output in float64) and, scripted and traced (KIND),
NAME.KIND.pt, NAME.KIND.output.npz (what libtorch answers), NAME.KIND.graphs.json (inlined graph of each method of each
class of submodules) and NAME.KIND.frozen.ir (graph behind torch.jit.freeze without changes of numerics). All of them
take 26 GB, --ci takes 2 GB. What is there already stays, unless --again.
"""

import argparse
import os
import subprocess
import sys
import time


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=os.environ.get("PERMAFROST_ORACLE_DIR", ".oracle"))
    parser.add_argument("--models", help="names, with commas between them")
    parser.add_argument("--ci", action="store_true", help="one or two models of each family")
    parser.add_argument("--again", action="store_true", help="make those anew that are there")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    return parser.parse_args()


def make_one(name, folder):
    import warnings

    import zoo

    warnings.filterwarnings("ignore")
    zoo.make(name, folder)


def main():
    options = arguments()
    os.makedirs(options.out, exist_ok=True)
    if options.one:
        return make_one(options.one, options.out)
    import zoo

    names = options.models.split(",") if options.models else zoo.MODELS["quick" if options.ci else "all"]
    failed = []
    for name in names:
        done = os.path.join(options.out, f"{name}.done")
        if os.path.exists(done) and not options.again:
            continue
        start = time.time()
        # A process for each: what one leaves in memory is gone before the next.
        command = [sys.executable, "-W", "ignore", __file__, "--out", options.out, "--one", name]
        if subprocess.run(command).returncode == 0:
            open(done, "w").close()
            print(f"{name} {time.time() - start:.0f} s", flush=True)
        else:
            failed.append(name)
            print(f"{name} FAILED", flush=True)
    print(f"{len(names) - len(failed)} made, {len(failed)} failed")
    return 1 if failed else 0


sys.exit(main())
