/** A name for a request, by which the API knows it when it comes again. `crypto.randomUUID` needs TLS. */
export function requestKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");
}
