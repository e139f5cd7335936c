package pairing

import (
	"fmt"
	"io"
	"strings"
)

// list holds 256 words that read the same, or nearly, in German and English. The
// order is part of the format.
const list = `
Alarm Album Alligator Anorak Aquarium Arena Arm Aroma
Atlas Atom August Avocado Baby Badminton Ball Band
Bank Banner Baron Bingo Bison Block Bonbon Bravo
Bronze Brunch Buffet Bungalow Burger Bus Butter Cafe
Camping Canyon Cargo Cartoon Cello Chili City Clown
Club Cockpit Cola Comic Computer Container Couch Cowboy
Crew Curry Delta Design Diadem Diesel Dingo Disco
Dollar Domino Donut Drama Duo Echo Emblem Espresso
Euro Export Express Farm Festival Film Filter Finger
Fitness Fjord Flamingo Flora Fondue Forum Fossil Frost
Gala Gamma Garage Gecko Gold Golf Gong Gorilla
Grapefruit Grill Guru Hammer Hamster Hand Handball Hobby
Hockey Horn Hotel Humor Husky Import Index Iris
Jade Jaguar Jasmin Jazz Jeans Jeep Joker Judo
Jumbo Karate Ketchup Kilo Kimono Kiosk Kiwi Koala
Land Laptop Laser Lasso Lava Lemming Leopard Lift
Limit Logo Lotus Lunch Magma Magnet Mango Marathon
Marina Meteor Meter Mikado Minute Mixer Monitor Motel
Motor Muffin Museum Musical Mustang Name Neon Nest
Nougat November Nylon Oboe Olive Omega Opal Orange
Orbit Oregano Otter Palette Panda Panorama Panther Papaya
Park Partner Party Pasta Pergola Piano Pilot Pizza
Planet Plankton Plasma Polka Polo Pool Popcorn Portal
Pudding Pullover Puma Quiz Radar Radio Ravioli Regatta
Ring Rodeo Rose Rotor Route Rucksack Safari Saga
Salami Samba Sand Sauna Scanner Sensor September Signal
Ski Slalom Snack Sofa Software Solo Sombrero Sonar
Spaghetti Sport Star Station Student Studio Sushi Swing
System Tandem Tango Tapas Taxi Team Tempo Tennis
Terrier Tiger Toast Tornado Tower Transport Trio Tuba
Tundra Tunnel Turbo Ufo Veranda Video Villa Viola
Wind Winter Wolf Yacht Yeti Yoga Zebra Zoo
`

var words = strings.Fields(list)

// DoorName returns a name made up for one open invite, such as "Tiger Radio 27".
func DoorName(random io.Reader) (string, error) {
	var b [3]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("random name: %w", err)
	}
	return fmt.Sprintf("%s %s %d", words[b[0]], words[b[1]], 10+int(b[2])%90), nil
}
