"""Holds rendered objects against Kubernetes' schemas, oldest and newest supported version; unknown fields are errors.

python kubernetes.py FILE...
"""

import sys
from pathlib import Path

import kubernetes_validate
import yaml

VERSIONS = ("1.27", "1.37")


def main(files: list[str]) -> int:
    """Print every problem; 1 if there is one."""
    problems = 0
    checked = 0
    for file in files:
        for item in yaml.safe_load_all(Path(file).read_text("utf-8")):
            for version in VERSIONS if item else ():
                try:
                    kubernetes_validate.validate(item, version, strict=True)
                    checked += 1
                except kubernetes_validate.SchemaNotFoundError:
                    print(f"no schema for {item['apiVersion']} {item['kind']}")
                    break
                except kubernetes_validate.ValidationError as error:
                    problems += 1
                    where = ".".join(str(part) for part in error.path)
                    print(f"{Path(file).name}: {item['kind']} {item['metadata']['name']}: {where}: {error.message}")
    print(f"{checked} checks, {problems} problems")
    return 1 if problems or not checked else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
