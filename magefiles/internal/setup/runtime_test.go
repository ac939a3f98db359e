package setup

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/run"
)

// bounded runs the script with a runc that only shows its arguments.
func bounded(t *testing.T, args ...string) string {
	t.Helper()
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "runc"), []byte("#!/bin/sh\nprintf '<%s>' \"$@\"\n"), 0o755))
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	out, err := run.Output(t.Context(), run.Exec{}, filepath.Join("../../..", runtimeSource), args...)
	require.NoError(t, err)
	return out
}

func TestBoundedRuntimeTakesTheCapabilityOutOfEverySet(t *testing.T) {
	const drop, keep = "CAP_SYS_RESOURCE", "CAP_NET_ADMIN"
	process := map[string]any{
		"args": []string{"capsh", "--drop", drop, keep},
		"env":  []string{`QUOTED="CAP_SYS_RESOURCE",`},
		"capabilities": map[string][]string{
			"bounding":    {drop, keep},
			"effective":   {keep, drop},
			"permitted":   {drop},
			"inheritable": {keep, drop, "CAP_CHOWN"},
			"ambient":     {keep},
		},
	}
	want := map[string]any{
		"args": process["args"],
		"env":  process["env"],
		"capabilities": map[string][]string{
			"bounding": {keep}, "effective": {keep}, "permitted": {}, "inheritable": {keep, "CAP_CHOWN"}, "ambient": {keep},
		},
	}
	compact, err := json.Marshal(process)
	require.NoError(t, err)
	indented, err := json.MarshalIndent(process, "", "\t")
	require.NoError(t, err)
	wanted, err := json.Marshal(want)
	require.NoError(t, err)

	for name, content := range map[string][]byte{"compact": compact, "indented": indented} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "config.json")
			for _, args := range [][]string{
				{"--root", "/run/x", "create", "--bundle", dir, "id"},
				{"create", "--bundle=" + dir, "id"},
				{"run", "-b", dir, "id"},
				{"exec", "--process", file, "id"},
				{"exec", "--process=" + file, "id"},
				{"exec", "-p", file, "id"},
			} {
				require.NoError(t, os.WriteFile(file, content, 0o600))
				bounded(t, args...)
				got, err := os.ReadFile(file)
				require.NoError(t, err)
				assert.JSONEq(t, string(wanted), string(got), "%v", args)
			}
			info, err := os.Stat(file)
			require.NoError(t, err)
			assert.Equal(t, os.FileMode(0o600), info.Mode())
		})
	}
}

func TestBoundedRuntimeHandsArgumentsOver(t *testing.T) {
	assert.Equal(t, "<kill><--all><a b><*><>", bounded(t, "kill", "--all", "a b", "*", ""))
	assert.Equal(t, "<create><--bundle></no/such/bundle><id>", bounded(t, "create", "--bundle", "/no/such/bundle", "id"), "runc is the one to complain")
}
