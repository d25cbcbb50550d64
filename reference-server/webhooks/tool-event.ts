/** What happens to a tool call that the server runs itself: a `tool_call` when it begins, then one `tool_result`. */
export type ToolEvent =
  | { readonly type: 'tool_call'; readonly tool_call_id: string; readonly name: string }
  | {
      readonly type: 'tool_result';
      readonly tool_call_id: string;
      readonly name: string;
      /** What the tool gave back; null where it failed. */
      readonly output: string | null;
      /** Why it failed; null where it did not. */
      readonly error: string | null;
      readonly execution_time_ms: number;
    };
