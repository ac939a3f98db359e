import { backendUrl } from "@/lib/config";
import { passOn } from "@/lib/upstream";

export const dynamic = "force-dynamic";

const handler = (request: Request) => passOn(request, backendUrl());

export {
  handler as DELETE,
  handler as GET,
  handler as HEAD,
  handler as OPTIONS,
  handler as PATCH,
  handler as POST,
  handler as PUT,
};
