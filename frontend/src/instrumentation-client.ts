import { leave } from "@/lib/page-params";

/** Next calls this when it begins to go to another address, long before the page there is shown. */
export const onRouterTransitionStart = (url: string) => leave(url);
