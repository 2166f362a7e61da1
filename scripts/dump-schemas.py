"""Writes src/ops/schemas.generated.ts: every operator schema of the installed torch and torchvision.

    /usr/bin/python3 scripts/dump-schemas.py           (torch 1.13 and torchvision: the reference)
    some/newer/python scripts/dump-schemas.py --add    (adds the operators and overloads that only a newer torch has)

Overloads of a name keep libtorch's order of registration: a call takes the first that fits. What a newer torch added
to a name comes last, so that nothing changes for calls that one of the others fits.
"""

import pathlib
import sys

import torch

TARGET = pathlib.Path(__file__).resolve().parent.parent / "src" / "ops" / "schemas.generated.ts"
END = "`\n"


def key(schema):
    return f"{schema.name}.{schema.overload_name}".removesuffix(".")


def schemas(known):
    names = dict.fromkeys(schema.name for schema in torch._C._jit_get_all_schemas())
    lines = [
        str(schema)
        for name in sorted(names)
        for schema in torch._C._jit_get_schemas_for_operator(name)
        if key(schema) not in known
    ]
    return "\n".join(lines).replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${") + "\n"


if "--add" in sys.argv:
    text = TARGET.read_text()
    known = {line.split("`")[-1].split("(")[0] for line in text.splitlines()}
    head = f"// New operators and overloads were added from torch {torch.__version__}.\n"
    old = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("// New operators"))
    TARGET.write_text(head + old.removesuffix(END) + schemas(known) + END)
else:
    import torchvision

    TARGET.write_text(
        f"// Made by scripts/dump-schemas.py from torch {torch.__version__} and torchvision {torchvision.__version__}.\n"
        "// One schema a line; overloads of a name in libtorch's order of registration.\n"
        f"export const schemaText: string = `{schemas(set())}{END}"
    )
