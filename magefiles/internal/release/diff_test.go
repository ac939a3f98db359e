package release

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const deployedManifest = `
---
# Source: a
kind: ConfigMap
metadata: {name: settings}
data: {level: INFO, other: kept}
---
kind: Secret
metadata: {name: keys}
data: {same: c2FtZQ==, changed: b2xk, gone: Z29uZQ==}
---
kind: Service
metadata: {name: old}
`

func TestDiffShowsWhatChangesAndNoSecret(t *testing.T) {
	text, err := diff(deployedManifest, `
kind: ConfigMap
metadata: {name: settings}
data: {other: kept, level: DEBUG}
---
kind: Secret
metadata: {name: keys}
data: {same: c2FtZQ==, changed: bmV3, added: YWRkZWQ=}
`, "revision 3")
	require.NoError(t, err)
	for _, want := range []string{
		"-  level: INFO\n+  level: DEBUG", "-  changed: (hidden, old)", "+  changed: (hidden, new)", "+  added: (hidden, new)", "-  gone: (hidden, old)",
		"--- Service/old (deployed)", "+++ ConfigMap/settings (revision 3)",
	} {
		assert.Contains(t, text, want)
	}
	for _, secret := range []string{"c2FtZQ==", "b2xk", "Z29uZQ==", "bmV3", "YWRkZWQ="} {
		assert.NotContains(t, text, secret)
	}
	assert.NotContains(t, text, "-  other")
}

func TestDiffOfTheSameIsNothing(t *testing.T) {
	text, err := diff(deployedManifest, deployedManifest, "this checkout")
	require.NoError(t, err)
	assert.Empty(t, text)
}
