package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"todo.local/magefiles/internal/fault"
)

// prefix is that of the settings that are this project's own.
const prefix = "TODO_"

// names are the variables of all settings, in the order of the configuration table.
func names() []string {
	var out []string
	for f := range reflect.TypeFor[Config]().Fields() {
		if name := f.Tag.Get("env"); name != "-" {
			out = append(out, name)
		}
	}
	return out
}

// secretNames are the variables of settings that are secrets.
func secretNames() []string {
	var out []string
	for f := range reflect.TypeFor[Config]().Fields() {
		if f.Tag.Get("secret") == "true" {
			out = append(out, f.Tag.Get("env"))
		}
	}
	return out
}

// mistyped finds a variable that is meant for this project and is none of its settings, such as TODO_CLUSTR: it would
// change nothing, silently. Names that are like no setting are left alone, since other programs have variables with
// this prefix too.
func mistyped(vars map[string]string) error {
	known := names()
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if !strings.HasPrefix(name, prefix) || slices.Contains(known, name) {
			continue
		}
		for _, k := range known {
			if name == prefix+k || alike(name, k) {
				return fault.New(fault.CodeInput, fmt.Sprintf("%s is no setting", name), fmt.Sprintf("%s is one; the configuration table in README.md lists all", k))
			}
		}
	}
	return nil
}

// alike tells whether at most two slips of the fingers lie between two names: a character too many, too few, or another
// one.
func alike(a, b string) bool {
	const slips = 2
	row := make([]int, len(b)+1) // of the table of edit distances, for the part of a so far
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substituted := diagonal
			if a[i] != b[j] {
				substituted++
			}
			diagonal = row[j+1]
			row[j+1] = min(substituted, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)] <= slips
}
