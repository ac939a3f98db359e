//go:build soak

package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSoak does what the end-to-end tests do three times, often enough to meet the moments that are rare.
func TestSoak(t *testing.T) {
	project := here(t)
	require.Zero(t, project.mage(t, nil, "cluster:delete").code)
	require.Zero(t, project.mage(t, nil, "deploy").code)
	killed(t, project, 8, 12)
	require.Zero(t, project.mage(t, nil, "cluster:delete").code)
}
