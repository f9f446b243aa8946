// Holds the exports that a test of the grader left in a folder against the grader's schemas: node schemas.mjs SCHEMAS EXPORTS
import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";

const [schemas, exports] = process.argv.slice(2);
let files = 0;
let found = 0;
for (const name of readdirSync(schemas)) {
  const format = basename(name, ".json");
  const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false });
  const validate = ajv.compile(JSON.parse(readFileSync(join(schemas, name), "utf8")));
  let held = 0;
  for (const entry of readdirSync(join(exports, format), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    held += 1;
    if (!validate(JSON.parse(readFileSync(path, "utf8")))) {
      found += 1;
      console.error(path, ajv.errorsText(validate.errors));
    }
  }
  console.log(`${format}: ${held} file(s)`);
  if (held === 0) found += 1;
  files += held;
}
console.log(`schemas: ${files} file(s), ${found} finding(s)`);
process.exit(found === 0 && files > 0 ? 0 : 1);
