import type { MetadataRoute } from "next";

/** What makes the application one that can be installed. */
export default function manifest(): MetadataRoute.Manifest {
  return {
    id: "/tasks",
    name: "Todo",
    short_name: "Todo",
    description: "A fast, keyboard-friendly task list with an assistant that understands plain words.",
    start_url: "/tasks",
    scope: "/",
    display: "standalone",
    background_color: "#f7f7fa",
    theme_color: "#5344d8",
    icons: [
      { src: "/icons/192.png", sizes: "192x192", type: "image/png" },
      { src: "/icons/512.png", sizes: "512x512", type: "image/png" },
      { src: "/icons/maskable-512.png", sizes: "512x512", type: "image/png", purpose: "maskable" },
    ],
    shortcuts: [{ name: "Assistant", url: "/chat" }],
  };
}
