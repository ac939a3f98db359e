import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";
import { SCREENSHOTS } from "./support";

/** The widest and the narrowest window that the pages must fit. */
export const WIDTHS = { wide: { width: 1280, height: 800 }, phone: { width: 360, height: 740 } };
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Looks at a page in both themes: nothing for axe to find, nothing to scroll sideways; keeps a picture. */
export async function look(page: Page, name: string) {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    // The new colours are on the screen after the next frame.
    await page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    );
    const size = page.viewportSize() ?? WIDTHS.wide;
    const scrolled = await page.evaluate(() => scrollY);
    // As high as the page: what is halfway under a bar at the edge of the window is no target of the wrong size.
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ ...size, height: Math.max(size.height, height) });
    const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
    const found = violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.target}: ${node.failureSummary}`),
    );
    expect.soft(found, `axe on ${name}, ${colorScheme}`).toEqual([]);
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect.soft(overflow, `${name} scrolls sideways`).toBe(0);
    await page.setViewportSize(size);
    await page.evaluate((y) => scrollTo(0, y), scrolled);
    await page.screenshot({ path: `${SCREENSHOTS}/${name}-${colorScheme}.png` });
  }
  await page.emulateMedia({ colorScheme: "light" });
}
