import type { Metadata } from "next";
import { Suspense } from "react";
import { ChatView } from "@/features/chat/components/chat-view";

export const metadata: Metadata = { title: "Assistant" };

export default function ChatPage() {
  return (
    <Suspense>
      <ChatView />
    </Suspense>
  );
}
