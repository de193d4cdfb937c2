"""Validates documents against a schema (python3-jsonschema). One JSON value a line on stdin: the schema, then documents,
each given as it is or as {"toml": text}. Prints, a line each, nothing for a valid one and the first fault of another."""

import json
import sys
import tomllib

import jsonschema

schema = json.loads(next(sys.stdin))
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
for line in sys.stdin:
    document = json.loads(line)
    if isinstance(document, dict) and set(document) == {"toml"}:
        document = json.loads(json.dumps(tomllib.loads(document["toml"]), default=str))
    fault = jsonschema.exceptions.best_match(validator.iter_errors(document))
    print("" if fault is None else f"{fault.json_path}: {fault.message}".replace("\n", " "))
