import ReactMarkdown, { type Components } from "react-markdown";

const ALLOWED = ["p", "strong", "em", "del", "code", "pre", "ul", "ol", "li", "a", "br", "blockquote"];

const COMPONENTS: Components = {
  a: ({ href, children }) => (
    <a
      href={href}
      rel="noreferrer nofollow"
      target="_blank"
      className="text-accent underline underline-offset-2"
    >
      {children}
    </a>
  ),
  ul: ({ children }) => <ul className="list-disc pl-5">{children}</ul>,
  ol: ({ children }) => <ol className="list-decimal pl-5">{children}</ol>,
  code: ({ children }) => <code className="rounded bg-hover px-1 text-[0.9em]">{children}</code>,
};

/**
 * Text of the assistant. It may repeat what others have written, so there is no HTML in it and no image,
 * which would tell another server that it was looked at.
 */
export function Markdown({ text }: { text: string }) {
  return (
    <div className="grid gap-2 [overflow-wrap:anywhere] [&_p]:whitespace-pre-line">
      <ReactMarkdown skipHtml allowedElements={ALLOWED} unwrapDisallowed components={COMPONENTS}>
        {text}
      </ReactMarkdown>
    </div>
  );
}
