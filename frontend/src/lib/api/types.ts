import type { components, operations } from "./schema";

/** Short names for the shapes of the API document. */
export type Task = components["schemas"]["Task"];
export type TaskCreate = components["schemas"]["TaskCreate"];
export type TaskUpdate = components["schemas"]["TaskUpdate"];
export type TaskPage = components["schemas"]["TaskPage"];
export type Priority = components["schemas"]["Priority"];
export type Status = components["schemas"]["Status"];
export type Sort = components["schemas"]["Sort"];
export type User = components["schemas"]["UserOut"];
export type TaskListQuery = NonNullable<operations["listTasks"]["parameters"]["query"]>;
export type ChatRequest = components["schemas"]["ChatRequest"];
export type ChatEvent = components["schemas"]["ChatEvent"];
export type ChatReply = components["schemas"]["ChatReply"];
export type ChatMessage = components["schemas"]["ChatMessage"];
export type ToolCall = components["schemas"]["ToolCall"];
export type ToolResult = components["schemas"]["ToolResult"];
export type Confirmation = components["schemas"]["ConfirmationOut"];
export type Conversation = components["schemas"]["ConversationOut"];
export type AssistantKind = components["schemas"]["AssistantKind"];
