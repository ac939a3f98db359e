import { writeFile } from "node:fs/promises";
import { chromium, test } from "@playwright/test";
import lighthouse, { type Config, desktopConfig } from "lighthouse";
import { addTask, newAccount, register } from "../tests/support";

const CATEGORIES = ["performance", "accessibility", "best-practices"];
const PROFILES: [name: string, config?: Config][] = [["desktop", desktopConfig], ["phone"]];
const ROUNDS = 5;
/** How many recordings of a page may fail: Chromium sometimes leaves the start of a navigation out of its trace. */
const SPOILT = 2;
/** Where Lighthouse finds the browser that is logged in. */
const PORT = 9222;

/** What Lighthouse gives a page: 0 to 100 by category, the median of the rounds. */
type Scores = { page: string; profile: string; scores: Record<string, number> };

/** The scores of a page as the browser sees it that has the port. */
async function scoresOf(page: string): Promise<Scores[]> {
  const all: Scores[] = [];
  for (const [profile, config] of PROFILES) {
    const rounds: Record<string, number>[] = [];
    const worse = new Set<string>(); // what costs points for best practices
    let spoilt = 0;
    while (rounds.length < ROUNDS) {
      const flags = {
        port: PORT,
        onlyCategories: CATEGORIES,
        disableStorageReset: true,
        logLevel: "error",
      } as const;
      const url = new URL(page, test.info().project.use.baseURL).href;
      const result = await lighthouse(url, flags, config);
      if (result?.lhr.runtimeError?.code === "NO_NAVSTART" && spoilt++ < SPOILT) {
        console.log(page, profile, "a recording is repeated:", result.lhr.runtimeError.message);
        continue;
      }
      if (!result || result.lhr.runtimeError) throw new Error(`${url}: ${result?.lhr.runtimeError?.message}`);
      if (result.lhr.finalDisplayedUrl !== url)
        throw new Error(`${url} led to ${result.lhr.finalDisplayedUrl}`);
      for (const { id } of result.lhr.categories["best-practices"]?.auditRefs ?? []) {
        if ((result.lhr.audits[id]?.score ?? 1) < 1) worse.add(id);
      }
      rounds.push(
        Object.fromEntries(CATEGORIES.map((name) => [name, 100 * (result.lhr.categories[name]?.score ?? 0)])),
      );
    }
    const median = (name: string) =>
      Math.round(rounds.map((scores) => scores[name] ?? 0).sort((a, b) => a - b)[(ROUNDS - 1) / 2] ?? 0);
    all.push({ page, profile, scores: Object.fromEntries(CATEGORIES.map((name) => [name, median(name)])) });
    console.log(page, profile, JSON.stringify(all.at(-1)?.scores), "to be better:", [...worse].join(", "));
  }
  return all;
}

test("scores of the start page and of the tasks page", async () => {
  test.setTimeout(600_000);
  const { launchOptions, baseURL } = test.info().project.use;
  // Lighthouse opens pages of its own: the session has to be the browser's, not that of one of Playwright's contexts.
  const context = await chromium.launchPersistentContext("", {
    ...launchOptions,
    args: [...(launchOptions?.args ?? []), `--remote-debugging-port=${PORT}`],
    baseURL,
  });
  try {
    const scores = await scoresOf("/");
    const page = await context.newPage();
    await register(page, newAccount());
    await addTask(page, "Water the plants tomorrow 5pm #home", "Water the plants");
    await addTask(page, "Pay rent !high", "Pay rent");
    await page.close();
    scores.push(...(await scoresOf("/tasks")));
    await writeFile(`${process.env.E2E_OUTPUT ?? "output"}/lighthouse.json`, JSON.stringify(scores, null, 2));
  } finally {
    await context.close();
  }
});
