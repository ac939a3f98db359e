package kubetest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestAnUpdateOfWhatWasChangedMeanwhileIsRefused(t *testing.T) {
	api := NewClientset().CoreV1().ConfigMaps("x")
	_, err := api.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "m"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	mine, err := api.Get(t.Context(), "m", metav1.GetOptions{})
	require.NoError(t, err)
	theirs := mine.DeepCopy()

	theirs.Data = map[string]string{"by": "them"}
	theirs, err = api.Update(t.Context(), theirs, metav1.UpdateOptions{})
	require.NoError(t, err)
	_, err = api.Update(t.Context(), mine, metav1.UpdateOptions{})
	assert.True(t, apierrors.IsConflict(err), "%v", err)

	_, err = api.Patch(t.Context(), "m", types.MergePatchType, []byte(`{"data":{"by":"a patch"}}`), metav1.PatchOptions{})
	require.NoError(t, err)
	_, err = api.Update(t.Context(), theirs, metav1.UpdateOptions{})
	assert.True(t, apierrors.IsConflict(err), "%v", err)

	_, err = api.Create(t.Context(), mine, metav1.CreateOptions{})
	assert.True(t, apierrors.IsAlreadyExists(err), "%v", err)
	mine.ResourceVersion = ""
	_, err = api.Update(t.Context(), mine, metav1.UpdateOptions{})
	assert.NoError(t, err, "one that names no version overwrites, as on a real server")
}
