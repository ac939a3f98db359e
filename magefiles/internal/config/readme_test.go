package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestREADMEListsEverySettingAndNoOther(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "README.md"))
	require.NoError(t, err)
	var rows []string
	for f := range reflect.TypeFor[Config]().Fields() {
		if name := f.Tag.Get("env"); name != "-" {
			value := f.Tag.Get("envDefault")
			if value != "" {
				value = "`" + value + "`"
			}
			rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |", name, value, f.Tag.Get("doc")))
		}
	}
	assert.Equal(t, rows, regexp.MustCompile("(?m)^\\| `[A-Z_]+` \\|.*$").FindAllString(string(raw), -1))
}
