package release

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

func TestHolds(t *testing.T) {
	for name, k := range map[string]struct {
		found, wanted string
		want          bool
	}{
		"same":                          {"{a: 1, b: [x]}", "{a: 1, b: [x]}", true},
		"defaults were added":           {"{spec: {replicas: 2, strategy: {type: RollingUpdate}}}", "{spec: {replicas: 2}}", true},
		"scaled by hand":                {"{spec: {replicas: 0}}", "{spec: {replicas: 2}}", false},
		"field removed":                 {"{spec: {}}", "{spec: {replicas: 2}}", false},
		"quantity written another way":  {"{cpu: '1', memory: 1Gi}", "{cpu: 1000m, memory: 1024Mi}", true},
		"other quantity":                {"{cpu: '2'}", "{cpu: 1000m}", false},
		"element added to a list":       {"{ports: [1, 2]}", "{ports: [1]}", false},
		"element of a list changed":     {"{env: [{name: A, value: x}]}", "{env: [{name: A, value: y}]}", false},
		"default in a list's element":   {"{ports: [{port: 80, protocol: TCP}]}", "{ports: [{port: 80}]}", true},
		"empty values are not stored":   {"{env: [{name: A}]}", "{env: [{name: A, value: ''}], labels: {}, list: []}", true},
		"null means nothing":            {"{}", "{metadata: null}", true},
		"a map where there is a string": {"{a: b}", "{a: {b: c}}", false},
	} {
		t.Run(name, func(t *testing.T) {
			var found, wanted map[string]any
			require.NoError(t, yaml.Unmarshal([]byte(k.found), &found))
			require.NoError(t, yaml.Unmarshal([]byte(k.wanted), &wanted))
			assert.Equal(t, k.want, holds(found, wanted))
		})
	}
}
