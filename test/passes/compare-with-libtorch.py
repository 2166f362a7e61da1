"""Runs libtorch 1.13's own passes on the textual cases and compares with the expected graphs.

    /usr/bin/python3 test/passes/compare-with-libtorch.py [--show]

A case may differ on purpose; it then says so in a comment line
`# differs from libtorch: why` behind its title.
"""
import pathlib
import re
import sys

import torch

PASSES = {
    'eliminate-dead-code': torch._C._jit_pass_dce,
    'constant-propagation': torch._C._jit_pass_constant_propagation,
    'constant-propagation-immutable-types': torch._C._jit_pass_constant_propagation_immutable_types,
    'constant-pooling': torch._C._jit_pass_constant_pooling,
    'eliminate-common-subexpressions': torch._C._jit_pass_cse,
    'peephole': lambda graph: torch._C._jit_pass_peephole(graph, False),
    'fold-conv-batch-norm': torch._C._jit_pass_fold_frozen_conv_bn,
}


def cases(path):
    text = path.read_text()
    for part in re.split(r'^## ', text, flags=re.M)[1:]:
        title, body = part.split('\n', 1)
        before, _, after = body.partition('==>')
        comments = [line for line in body.split('\n') if line.startswith('#')]
        strip = lambda source: '\n'.join(line for line in source.split('\n') if not line.startswith('#')).strip() + '\n'
        yield title, strip(before), after.strip().startswith('unchanged'), strip(after), comments


def normal(text):
    """Values renamed in order; floats, which libtorch prints and reads differently, without a dot at the end."""
    names = {}
    text = re.sub(r'%[\w.]+', lambda match: names.setdefault(match[0], f'%{len(names)}'), text)
    return re.sub(r'value=(-?\d+)\.\]', r'value=\1]', text).strip()


def parse(source):
    return torch._C.parse_ir(source, True)


def main():
    show = '--show' in sys.argv
    equal = different = skipped = 0
    for path in sorted(pathlib.Path(__file__).parent.glob('*.ir')):
        run = PASSES.get(path.stem)
        if run is None:
            continue
        for title, before, unchanged, after, comments in cases(path):
            try:
                graph = parse(before)
                run(graph)
            except RuntimeError as error:
                print(f'{path.stem}: {title}: libtorch cannot: {str(error).splitlines()[0][:150]}')
                skipped += 1
                continue
            if show:
                print(f'{path.stem}: {title}\n{graph}')
                continue
            expected = normal(str(parse(before)) if unchanged else after)
            if normal(str(graph)) == expected:
                equal += 1
            elif any('differs from libtorch' in comment for comment in comments):
                skipped += 1
            else:
                different += 1
                print(f'{path.stem}: {title}\nlibtorch:\n{normal(str(graph))}\nours:\n{expected}')
    print(f'{equal} equal, {different} different, {skipped} skipped')
    sys.exit(1 if different else 0)


main()
