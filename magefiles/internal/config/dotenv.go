package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/joho/godotenv"

	"todo.local/magefiles/internal/fault"
)

func readDotEnv(path string) (map[string]string, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.CodeInput, path+" cannot be read", "correct or remove the file")
	}
	if err := loneDollars(path, string(raw)); err != nil {
		return nil, err
	}
	vars, err := godotenv.UnmarshalBytes(raw)
	if err != nil {
		// The parser's own message quotes the file, which may hold secrets.
		return nil, fault.New(fault.CodeInput, path+" cannot be read as KEY=value lines", "correct or remove the file")
	}
	return vars, nil
}

// assignment is a line of .env whose value is not in single quotes.
var assignment = regexp.MustCompile(`^\s*(?:export\s+)?(\w+)\s*[=:]\s*([^'\s].*)`)

// loneDollars refuses settings with a $ that somebody would take for a variable's: godotenv and docker compose, which
// reads the same file, replace those of their own idea of a variable everywhere but in single quotes. A password would
// silently become another one.
func loneDollars(path, text string) error {
	settings, n := names(), 0
	for line := range strings.Lines(text) {
		n++
		found := assignment.FindStringSubmatch(line)
		if found == nil || !slices.Contains(settings, found[1]) {
			continue
		}
		value := found[2]
		if !strings.HasPrefix(value, `"`) {
			value, _, _ = strings.Cut(value, " #")
		}
		if strings.Contains(value, "$") {
			return fault.New(fault.CodeInput,
				fmt.Sprintf("%s, line %d: %s has a $ outside single quotes, where it may stand for a variable", path, n, found[1]),
				"put the value into single quotes, in which it is taken as it is: "+found[1]+"='…'")
		}
	}
	return nil
}
