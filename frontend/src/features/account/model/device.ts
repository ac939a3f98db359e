/** Names by which browsers call themselves, the more special ones first: each says that it is the others, too. */
const BROWSERS: [RegExp, string][] = [
  [/\bEdgA?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/Chrome\/|\bCriOS\/|\bChromium\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];
const SYSTEMS: [RegExp, string][] = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bLinux\b/, "Linux"],
];
const PHONES = new Set(["iPhone", "iPad", "Android"]);

const named = (names: [RegExp, string][], text: string) => names.find(([pattern]) => pattern.test(text))?.[1];

/** What a login was made with, by what it called itself: in words, and whether it is held in the hand. */
export function describeDevice(userAgent: string): { label: string; phone: boolean } {
  const browser = named(BROWSERS, userAgent);
  const system = named(SYSTEMS, userAgent);
  const phone = system !== undefined && PHONES.has(system);
  if (browser && system) return { label: `${browser} on ${system}`, phone };
  // A program: what is before the version is its name.
  const [name = ""] = userAgent.split(/[/\s]/, 1);
  return { label: browser ?? system ?? (name || "Unknown device"), phone };
}
