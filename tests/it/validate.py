"""Validates documents against a schema (python3-jsonschema). One JSON value a line on stdin: the schema, then documents,
each given as it is or as {"toml": text}. Prints, a line each, nothing for a valid one and the first fault of another (with --quick
only that it is refused, which is much faster)."""

import json
import sys
import tomllib

import jsonschema

schema = json.loads(next(sys.stdin))
version = jsonschema.validators.validator_for(schema)
version.check_schema(schema)
validator = version(schema)
for line in sys.stdin:
    document = json.loads(line)
    if isinstance(document, dict) and set(document) == {"toml"}:
        document = json.loads(json.dumps(tomllib.loads(document["toml"]), default=str))
    if validator.is_valid(document):
        print("")
        continue
    if "--quick" in sys.argv:
        print("refused")
        continue
    fault = jsonschema.exceptions.best_match(validator.iter_errors(document))
    print(f"{fault.json_path}: {fault.message}".replace("\n", " "))
