package release_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wholes are maps that stand in one row of the table.
var wholes = regexp.MustCompile(`\.(requests|limits|env|init|folders)$`)

// flatten gives the beginning of a table's row for every value, by its name.
func flatten(t *testing.T, name string, value any, rows map[string]bool) {
	t.Helper()
	if inner, ok := value.(map[string]any); ok && len(inner) > 0 && !wholes.MatchString(name) {
		for key := range inner {
			flatten(t, name+"."+key, inner[key], rows)
		}
		return
	}
	text, ok := value.(string)
	if !ok {
		raw, err := json.Marshal(value)
		require.NoError(t, err)
		text = string(raw)
	}
	if text != "" {
		text = "`" + text + "`"
	}
	rows[fmt.Sprintf("| `%s` | %s |", name[1:], text)] = true
}

func TestTheChartsREADMEListsEveryValueAndNoOther(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(charts, "todo-app", "values.yaml"))
	require.NoError(t, err)
	rows := map[string]bool{}
	flatten(t, "", values(t, string(raw)), rows)
	readme, err := os.ReadFile(filepath.Join(charts, "todo-app", "README.md"))
	require.NoError(t, err)
	var listed []string
	for _, row := range regexp.MustCompile("(?m)^(\\| `[a-zA-Z.]+` \\| [^|]*\\|) \\S.*\\|$").FindAllStringSubmatch(string(readme), -1) {
		listed = append(listed, row[1])
	}
	assert.ElementsMatch(t, slices.Collect(maps.Keys(rows)), listed)
}
