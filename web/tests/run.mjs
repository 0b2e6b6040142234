// node run.mjs FILE SCENARIO BASE FACTS: one scenario of one file; FACTS is JSON. Status 1 and why when it fails.
import { pathToFileURL } from "node:url";

const [file, name, base, facts] = process.argv.slice(2);
const scenarios = await import(pathToFileURL(file).href);
try {
  await scenarios[name](base, JSON.parse(facts));
} catch (error) {
  console.error(error);
  process.exit(1);
}
