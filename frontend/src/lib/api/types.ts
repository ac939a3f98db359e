/** The shapes of the API document by the names that the pages use. */
export type {
  ApiTokenCreated,
  ApiTokenNew,
  ApiTokenOut as ApiToken,
  ChatEvent,
  ChatMessage,
  ChatReply,
  ChatRequest,
  ConfirmationOut as Confirmation,
  ConversationOut as Conversation,
  ImportFile,
  PasswordChange,
  Priority,
  Ready,
  Scope,
  SessionInfo,
  Sort,
  Task,
  TaskChange,
  TaskCreate,
  TaskPage,
  TaskUpdate,
  ToolCall,
  ToolResult,
} from "./generated";

import type { ListTasksData } from "./generated";

export type TaskListQuery = NonNullable<ListTasksData["query"]>;
