package cluster

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// volumeAhead is the name of the volume that a new cluster begins with, and of its folder among the provisioner's.
	volumeAhead = "made-ahead"
	volumeDir   = "/var/local-path-provisioner/" + volumeAhead
	// volumeSize is what the chart's database asks for unless told otherwise. Whoever asks for more gets a volume of
	// the provisioner's.
	volumeSize = "1Gi"
)

// prepareVolume gives a new cluster one volume ahead, as its provisioner would make it. On a cluster that has just
// started the provisioner takes 5 to 10 seconds for that, with the whole application waiting for its database. Its
// folder is the caller's to make. Once its claim is gone the provisioner removes it, as it takes it for its own.
func (a Access) prepareVolume(ctx context.Context, node string) error {
	client, err := a.Client()
	if err != nil {
		return err
	}
	folder := corev1.HostPathDirectory
	volume, err := client.CoreV1().PersistentVolumes().Create(ctx, &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: volumeAhead, Annotations: map[string]string{"pv.kubernetes.io/provisioned-by": "rancher.io/local-path"}},
		Spec: corev1.PersistentVolumeSpec{
			StorageClassName:              "standard",
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(volumeSize)},
			AccessModes:                   []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete,
			PersistentVolumeSource:        corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: volumeDir, Type: &folder}},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{node}}},
			}}}},
		},
	}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	if err != nil {
		return err
	}
	// The scheduler passes over a volume that is not available yet, and the controller that would say so may take
	// seconds to start.
	volume.Status.Phase = corev1.VolumeAvailable
	_, err = client.CoreV1().PersistentVolumes().UpdateStatus(ctx, volume, metav1.UpdateOptions{})
	if apierrors.IsConflict(err) {
		return nil // that controller was here first
	}
	return err
}
