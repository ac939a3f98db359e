package podlog

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Render turns one JSON line of the application's logs into one that a person reads: time of day, level, message, then
// the rest as key=value. Lines of several parts, such as a traceback, follow indented. A line that is no JSON object
// stays as it is.
func Render(line string) string {
	var fields map[string]any
	decoder := json.NewDecoder(strings.NewReader(line))
	decoder.UseNumber() // 45 stays 45
	if err := decoder.Decode(&fields); err != nil || decoder.More() {
		return line
	}
	message, ok := fields["message"].(string)
	if !ok {
		return line
	}
	var out, below strings.Builder
	if stamp, ok := fields["timestamp"].(string); ok {
		if at, err := time.Parse(time.RFC3339, stamp); err == nil {
			out.WriteString(at.Local().Format("15:04:05.000 "))
		}
	}
	if level, ok := fields["level"].(string); ok {
		fmt.Fprintf(&out, "%-8s ", level)
	}
	out.WriteString(message)
	for _, key := range []string{"message", "timestamp", "level"} {
		delete(fields, key)
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		text, ok := fields[key].(string)
		switch {
		case !ok:
			raw, err := json.Marshal(fields[key])
			if err != nil {
				return line
			}
			text = string(raw)
		case strings.Contains(text, "\n"):
			below.WriteString("\n    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    "))
			continue
		case text == "" || strings.ContainsAny(text, " \t\"="):
			text = fmt.Sprintf("%q", text)
		}
		fmt.Fprintf(&out, " %s=%s", key, text)
	}
	return out.String() + below.String()
}
