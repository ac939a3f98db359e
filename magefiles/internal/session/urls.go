package session

import (
	"fmt"
	"net"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/secrets"
)

// PrintURLs prints where the application answers.
func (s Session) PrintURLs(access cluster.Access) {
	ip, _, err := net.SplitHostPort(access.HTTP)
	if err != nil {
		return // a foreign cluster's ingress has given no address yet
	}
	schemes := []string{"http"}
	if secrets.ForIngress(s.Config) != "" && access.HTTPS != "" {
		schemes = append(schemes, "https")
	}
	s.UI.Printf("\n")
	where := ip
	if ip == cluster.Loopback {
		for _, scheme := range schemes {
			s.UI.Printf("  %s\n", access.URL(scheme, config.LocalHost))
		}
	} else {
		where += ", by DNS or a line in /etc/hosts"
	}
	for i, scheme := range schemes {
		remark := fmt.Sprintf("once %s points to %s", s.Config.Host, where)
		if i > 0 {
			remark = "likewise"
		}
		s.UI.Printf("  %s   %s\n", access.URL(scheme, s.Config.Host), remark)
	}
	s.UI.Printf("\n")
}
