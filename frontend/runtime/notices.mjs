// Run by the build: collects the licences of everything that may be in the server or in what browsers load, as most
// of them ask for, into one file of the image.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const TARGET = ".next/standalone/THIRD_PARTY_NOTICES.txt";
const LICENSE_FILE = /^(licen[cs]e|copying|notice)/i;
/** Left out of the image by the build script, too. */
const LEFT_OUT = /node_modules\/(sharp|@img)(\/|$)/;

const [, ...folders] = execFileSync("npm", ["ls", "--omit=dev", "--all", "--parseable"], { encoding: "utf8" })
  .trim()
  .split("\n");
const notices = folders
  .filter((folder) => !LEFT_OUT.test(folder))
  .map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    if (!license) throw new Error(`${name} ${version} names no license`);
    const texts = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && LICENSE_FILE.test(entry.name))
      .map((entry) => readFileSync(join(folder, entry.name), "utf8").trim());
    return [`${name} ${version}: ${license}`, ...texts].join("\n\n");
  });
writeFileSync(TARGET, `${[...new Set(notices)].sort().join(`\n\n${"-".repeat(80)}\n\n`)}\n`);
