"""Writes src/ops/schemas.generated.ts: every operator schema of the installed torch and torchvision.

Run: /usr/bin/python3 scripts/dump-schemas.py
Overloads of a name keep libtorch's order of registration: a call takes the first that fits.
"""

import pathlib

import torch
import torchvision

TARGET = pathlib.Path(__file__).resolve().parent.parent / "src" / "ops" / "schemas.generated.ts"

names = dict.fromkeys(schema.name for schema in torch._C._jit_get_all_schemas())
lines = [
    str(schema)
    for name in sorted(names)
    for schema in torch._C._jit_get_schemas_for_operator(name)
]
text = "\n".join(lines).replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${")
TARGET.write_text(
    f"// Made by scripts/dump-schemas.py from torch {torch.__version__} and torchvision {torchvision.__version__}.\n"
    "// One schema a line; overloads of a name in libtorch's order of registration.\n"
    f"export const schemaText: string = `{text}\n`\n"
)
