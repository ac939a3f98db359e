import { expect, it } from "vitest";
import { describeDevice } from "./device";

const MOZILLA = "Mozilla/5.0";
const WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)";

it.each([
  [`${MOZILLA} (X11; Linux x86_64) ${WEBKIT} Chrome/156.0.0.0 Safari/537.36`, "Chrome on Linux", false],
  [
    `${MOZILLA} (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/1.0 Safari/537.36 Edg/1.0`,
    "Edge on Windows",
    false,
  ],
  [
    `${MOZILLA} (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0`,
    "Firefox on Windows",
    false,
  ],
  [
    `${MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/18.0 Safari/605`,
    "Safari on macOS",
    false,
  ],
  [
    `${MOZILLA} (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Safari/604`,
    "Safari on iPhone",
    true,
  ],
  [
    `${MOZILLA} (Linux; Android 15; Pixel 9) ${WEBKIT} Chrome/156.0 Mobile Safari/537.36`,
    "Chrome on Android",
    true,
  ],
  ["curl/8.7.1", "curl", false],
  ["", "Unknown device", false],
])("%s is %s", (userAgent, label, phone) => {
  expect(describeDevice(userAgent)).toEqual({ label, phone });
});
