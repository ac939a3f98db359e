package session

import (
	"fmt"
	"net"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/secrets"
)

// schemes are those that the ingress answers by.
func (s Session) schemes(access cluster.Access) []string {
	if secrets.ForIngress(s.Config) != "" && access.HTTPS != "" {
		return []string{"http", "https"}
	}
	return []string{"http"}
}

// URLs are the addresses by which a browser reaches the application, on this machine without a word to its DNS.
func (s Session) URLs(access cluster.Access) (urls []string) {
	ip, _, err := net.SplitHostPort(access.HTTP)
	if err != nil {
		return nil // a foreign cluster's ingress has given no address yet
	}
	host := s.Config.Host
	if ip == cluster.Loopback {
		host = config.LocalHost
	}
	for _, scheme := range s.schemes(access) {
		urls = append(urls, access.URL(scheme, host))
	}
	return urls
}

// PrintURLs prints where the application answers.
func (s Session) PrintURLs(access cluster.Access) {
	urls := s.URLs(access)
	if len(urls) == 0 {
		return
	}
	s.UI.Printf("\n")
	where, _, _ := net.SplitHostPort(access.HTTP)
	if where == cluster.Loopback {
		for _, url := range urls {
			s.UI.Printf("  %s\n", url)
		}
	} else {
		where += ", by DNS or a line in /etc/hosts"
	}
	for i, scheme := range s.schemes(access) {
		remark := fmt.Sprintf("once %s points to %s", s.Config.Host, where)
		if i > 0 {
			remark = "likewise"
		}
		s.UI.Printf("  %s   %s\n", access.URL(scheme, s.Config.Host), remark)
	}
	s.UI.Printf("\n")
}
