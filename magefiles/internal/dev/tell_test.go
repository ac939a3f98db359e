package dev

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"

	"todo.local/magefiles/internal/ui"
)

func TestEachLineSaysWhoseItIs(t *testing.T) {
	var out bytes.Buffer
	tell := tellOn(ui.Plain(&out))
	tell("backend", plain, "INFO     request status=200")
	tell("frontend", good, "src/proxy.ts is served after 0.20 s")
	assert.Equal(t, "backend    INFO     request status=200\nfrontend ✓ src/proxy.ts is served after 0.20 s\n", out.String())
}
