"""From evidence to certificate: JSON, HTML, JUnit, Allure."""
