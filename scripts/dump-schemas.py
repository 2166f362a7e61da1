"""Writes src/ops/schemas.generated.ts: every operator schema of the installed torch and torchvision.

    /usr/bin/python3 scripts/dump-schemas.py           (torch 1.13 and torchvision: the reference)
    some/newer/python scripts/dump-schemas.py --add    (adds the operators that only a newer torch has)

Overloads of a name keep libtorch's order of registration: a call takes the first that fits.
"""

import pathlib
import sys

import torch

TARGET = pathlib.Path(__file__).resolve().parent.parent / "src" / "ops" / "schemas.generated.ts"
END = "`\n"


def schemas(known):
    names = dict.fromkeys(schema.name for schema in torch._C._jit_get_all_schemas())
    lines = [
        str(schema)
        for name in sorted(names)
        if name not in known
        for schema in torch._C._jit_get_schemas_for_operator(name)
    ]
    return "\n".join(lines).replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${") + "\n"


if "--add" in sys.argv:
    text = TARGET.read_text()
    known = {line.split("(")[0].split(".")[0] for line in text.splitlines()}
    head = f"// New operators were added from torch {torch.__version__}.\n"
    TARGET.write_text(head + text.removesuffix(END) + schemas(known) + END)
else:
    import torchvision

    TARGET.write_text(
        f"// Made by scripts/dump-schemas.py from torch {torch.__version__} and torchvision {torchvision.__version__}.\n"
        "// One schema a line; overloads of a name in libtorch's order of registration.\n"
        f"export const schemaText: string = `{schemas(set())}{END}"
    )
