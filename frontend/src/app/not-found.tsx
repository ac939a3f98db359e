import type { Metadata } from "next";
import Link from "next/link";
import { buttonClass } from "@/ui/button";
import { Message } from "@/ui/message";

export const metadata: Metadata = { title: "Not found" };

export default function NotFound() {
  return (
    <Message title="There is nothing here" text="The page you asked for does not exist, or has moved.">
      <Link href="/tasks" className={buttonClass("primary")}>
        To my tasks
      </Link>
      <Link href="/" className={buttonClass("secondary")}>
        Start page
      </Link>
    </Message>
  );
}
